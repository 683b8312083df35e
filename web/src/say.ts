// One message to the agent and its answer, sealed or open, streamed where the server streams.
import { ask, Problem } from "./api";
import { post } from "./seal";
import type { Protection, Session } from "./session";

export interface Message { text: string; roomId: string; userId: string; userName: string }
export interface Reply { text: string; receipt?: URL }

interface Content { user?: string; text?: string; action?: string; receipt?: { url?: string } }

export async function exchange(session: Session, how: Protection, message: Message, part: (text: string) => void): Promise<Reply> {
  const url = new URL(`${session.row.id}/message`, session.base);
  const body = JSON.stringify(message);
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream, application/json" };
  const response = how.sealed ? await sealed(url, body, how, headers) : await ask(url, { method: "POST", body, headers });
  const link = response.headers.get("Teapot-Receipt");
  const receipt = link ? new URL(link, session.base) : undefined;
  if (/event-stream/.test(response.headers.get("Content-Type") ?? "")) return streamed(response, session.base, receipt, part);
  return { text: words((await response.json()) as Content[]), receipt };
}

async function sealed(url: URL, body: string, how: Extract<Protection, { sealed: true }>, headers: Record<string, string>): Promise<Response> {
  const { response } = await post(url, new TextEncoder().encode(body), how.key, headers);
  if (response.ok) return response;
  throw new Problem(response.status, (await response.json().catch(() => ({}))) as object);
}

/** words: an action's answer may be a second element; they are shown as one. */
function words(list: Content[]): string { return list.map((c) => c.text ?? "").filter(Boolean).join("\n\n"); }

/** streamed reads server-sent events: `delta` pieces, then `done` with the whole answer and the receipt's address. */
async function streamed(response: Response, base: URL, receipt: URL | undefined, part: (text: string) => void): Promise<Reply> {
  const reply: Reply = { text: "", receipt };
  for await (const event of events(response)) {
    if (event.name === "delta") part(reply.text += (JSON.parse(event.data) as { text: string }).text);
    if (event.name === "error") throw new Problem(response.status, JSON.parse(event.data) as object);
    if (event.name !== "done") continue;
    const done = JSON.parse(event.data) as { contents: Content[]; receipt?: string };
    reply.text = words(done.contents);
    if (done.receipt) reply.receipt = new URL(done.receipt, base);
  }
  return reply;
}

async function* events(response: Response): AsyncGenerator<{ name: string; data: string }> {
  const reader = response.body!.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let held = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    held += read.value;
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const lines = held.slice(0, end).split("\n");
      held = held.slice(end + 2);
      yield { name: field(lines, "event") || "message", data: field(lines, "data") };
    }
  }
}

function field(lines: string[], name: string): string { return lines.filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).trimStart()).join("\n"); }
