// One message to the agent and its answer, sealed or open, streamed where the server streams.
import { ask, Problem } from "./api";
import { hex } from "./input";
import { post } from "./seal";
import type { Protection, Session } from "./session";
import { events } from "./sse";
import { fromBase64 } from "./verifier";

export interface Message { text: string; roomId: string; userId: string; userName: string }
export interface Reply { text: string; receipt?: Receipt }

/** Receipt is the short form that came with the answer: where its file form is, and the secret that opens it. */
export interface Receipt { url: URL; secret: string }

interface Short { entries?: { index: number; salt?: string }[] }
interface Content { user?: string; text?: string; action?: string; receipt?: Short }

export async function exchange(session: Session, how: Protection, message: Message, part: (text: string) => void): Promise<Reply> {
  const url = new URL(`${session.row!.id}/message`, session.base);
  const body = JSON.stringify(message);
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream, application/json" };
  const response = how.sealed ? await sealed(url, body, how, headers) : await ask(url, { method: "POST", body, headers });
  const link = response.headers.get("Teapot-Receipt");
  if (/event-stream/.test(response.headers.get("Content-Type") ?? "")) return streamed(response, session.base, link, part);
  return reply((await response.json()) as Content[], link, session.base);
}

function reply(list: Content[], link: string | null | undefined, base: URL): Reply {
  const entries = list.find((c) => c.receipt)?.receipt?.entries ?? [];
  const index = Number(link?.split("/").pop());
  const salt = (entries.find((e) => e.index === index) ?? entries.at(-1))?.salt;
  return { text: words(list), receipt: link && salt ? { url: new URL(link, base), secret: hex(fromBase64(salt)) } : undefined };
}

async function sealed(url: URL, body: string, how: Extract<Protection, { sealed: true }>, headers: Record<string, string>): Promise<Response> {
  const { response } = await post(url, new TextEncoder().encode(body), how.key, headers);
  if (response.ok) return response;
  throw new Problem(response.status, (await response.json().catch(() => ({}))) as object);
}

/** words: an action's answer may be a second element; they are shown as one. */
function words(list: Content[]): string { return list.map((c) => c.text ?? "").filter(Boolean).join("\n\n"); }

/** streamed reads server-sent events: `delta` pieces, then `done` with the whole answer and the receipt's address. */
async function streamed(response: Response, base: URL, link: string | null, part: (text: string) => void): Promise<Reply> {
  let text = "";
  for await (const event of events(response)) {
    if (event.name === "delta") part(text += (JSON.parse(event.data) as { text: string }).text);
    if (event.name === "error") throw new Problem(response.status, JSON.parse(event.data) as object);
    if (event.name !== "done") continue;
    const done = JSON.parse(event.data) as { contents: Content[]; receipt?: string };
    return reply(done.contents, done.receipt ?? link, base);
  }
  throw new Error("the answer broke off");
}
