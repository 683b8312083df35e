// Server-sent events from a fetch: unlike EventSource it can carry a token and end when it is told to.

export interface Event { name: string; data: string }

export async function* events(response: Response): AsyncGenerator<Event> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let held = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    held += read.value.replace(/\r\n/g, "\n");
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const lines = held.slice(0, end).split("\n");
      held = held.slice(end + 2);
      const data = field(lines, "data");
      if (data) yield { name: field(lines, "event") || "message", data };
    }
  }
}

function field(lines: string[], name: string): string {
  return lines.filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).replace(/^ /, "")).join("\n");
}
