/**
 * What: assertions about types, which cost nothing at run time: the compiler is the test runner.
 * Must not know: what is asserted about.
 */

/** Whether two types are the same; `any` is the same as itself only. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless the type argument says that both are the same: `expectType<Same<A, B>>()`. */
export function expectType<_Verdict extends true>(): void {}
