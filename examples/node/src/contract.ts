/** The types of the contract, generated from its schemas. */

export type * from "../../../schemas/v1/agent-workers.d.ts";
