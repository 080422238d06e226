/**
 * What: our client in Node against the official socket.io 4.8 server, over each transport and across the upgrade.
 */
import { Server } from 'socket.io';
import { clientScenarios } from './client-scenarios.ts';

clientScenarios(Server);
