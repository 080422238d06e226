/**
 * What: `tautline/contract`: events declared once with schemas, for both ends; and keeping them on a client.
 * Must not know: anything but the names that users import.
 */
export {
  type EventRefusal,
  type RefusalAnswer,
  type RefusalIssue,
  RefusedError,
} from '../base/refusal.ts';
export { withContract } from '../client/contract.ts';
export { type Contract, defineContract } from '../contract/contract.ts';
export type {
  AuthOf,
  ClientEmits,
  ClientListens,
  ContractSpec,
  DataOf,
  EventDeclaration,
  EventDeclarations,
  EventSpec,
  ServerEmits,
  ServerListens,
} from '../contract/contract-types.ts';
export type {
  InputOf,
  OutputOf,
  SchemaIssue,
  SchemaResult,
  StandardSchema,
} from '../contract/standard-schema.ts';
