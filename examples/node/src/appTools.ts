/** The application's tools, as an MCP server that the SDK runs in this process. */

import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { type CallToolResult, CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { AppTool, AppToolResultMessage } from "./contract.ts";
import type { Asked } from "./asked.ts";
import { checker, faults } from "./input.ts";
import type { Translator } from "./translate.ts";

export function appTools(tools: AppTool[], asked: Asked, translator: Translator) {
  const instance = new McpServer({ name: "app", version: "1" }, { capabilities: { tools: {} } });
  const checks = new Map(tools.map((tool) => [tool.name, checker(tool.input_schema)]));
  instance.server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, input_schema }) => ({
      name, description, inputSchema: { ...input_schema, type: "object" as const },
    })),
  }));
  instance.server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const tool = tools.find(({ name }) => name === params.name);
    const check = checks.get(params.name);
    if (!tool || !check) return failure("There is no such tool.");
    const input = params.arguments ?? {};
    const wrong = faults(check, input).map(({ pointer, message }) => `${pointer} ${message}`);
    if (wrong.length > 0) return failure(`The input does not fit the tool: ${wrong.join("; ")}`);
    const toolUseId = String(params._meta?.["claudecode/toolUseId"]);
    await translator.told(toolUseId);
    const result = await asked.call(tool.name, input, toolUseId, tool.timeout_s ?? 60);
    return result ? { content: content(result), isError: result.is_error ?? false } : failure("There was no result in time.");
  });
  return { type: "sdk" as const, name: "app", instance };
}

function failure(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

function content({ content }: AppToolResultMessage): CallToolResult["content"] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map((block) =>
    block.type === "text" ? block : { type: "image", data: block.source.data, mimeType: block.source.media_type },
  );
}
