/**
 * What: our client in Node against our server, over each transport and across the upgrade.
 */
import { Server } from '../../../src/entry/index.ts';
import { clientScenarios, type ServerClass } from '../../interop/client-scenarios.ts';

clientScenarios(Server as unknown as ServerClass);
