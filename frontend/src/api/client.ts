// The typed way to the API: paths, parameters and answers come from the OpenAPI schema.
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O }
  ? O
  : never;
type JsonOf<R> = R extends { content: { "application/json": infer J } } ? J : undefined;
type AnswerOf<O> = O extends { responses: infer R }
  ? R extends { 200: infer A }
    ? JsonOf<A>
    : R extends { 201: infer A }
      ? JsonOf<A>
      : undefined
  : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : undefined;

export type Value = string | number | boolean | null | undefined;
export interface Call<B = unknown> {
  path?: Record<string, string | number>;
  query?: Record<string, Value>;
  body?: B;
  signal?: AbortSignal;
}

/** What the server, or the way to it, had against a request. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly sentences: string[],
  ) {
    super(sentences.join(" ") || `status ${status}`);
  }
}

type Listener = () => void;
let signedOut: Listener = () => undefined;

/** Names what is done when the server says that nobody is signed in. */
export function whenSignedOut(listener: Listener): void {
  signedOut = listener;
}

/** Fills ids into a path and appends the filters that are set. */
export function addressOf(path: string, call: Pick<Call, "path" | "query"> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(call.path?.[name] ?? "")),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const asked = query.toString();
  return asked ? `${filled}?${asked}` : filled;
}

/** Reads the sentences out of the body of a refusal, whatever its shape. */
export function sentencesOf(body: unknown): string[] {
  if (typeof body === "string") return body ? [body] : [];
  if (Array.isArray(body)) return body.flatMap(sentencesOf);
  if (body && typeof body === "object") {
    const told = body as Record<string, unknown>;
    if ("detail" in told) return sentencesOf(told.detail);
    if ("faults" in told) return sentencesOf(told.faults);
    if (typeof told.sentence === "string") return [told.sentence];
    if (typeof told.msg === "string") {
      const where = Array.isArray(told.loc) ? told.loc.slice(1).join(".") : "";
      return [where ? `${where}: ${told.msg}` : told.msg];
    }
  }
  return [];
}

/** The refusal that an answer other than 2xx stands for. */
export async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    body = answer.headers.get("content-type")?.startsWith("text/plain") ? text : "";
  }
  return new Refusal(answer.status, sentencesOf(body));
}

async function ask(method: Method, path: string, call: Call): Promise<unknown> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (call.body !== undefined) headers["content-type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(addressOf(path, call), {
      method: method.toUpperCase(),
      headers,
      credentials: "same-origin",
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal ? { signal: call.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal(0, []);
  }
  if (!answer.ok) {
    const refusal = await refusalOf(answer);
    if (answer.status === 401 && path !== "/api/session") signedOut();
    throw refusal;
  }
  if (answer.status === 204) return undefined;
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

type Typed<M extends Method> = <P extends PathsWith<M>>(
  path: P,
  call?: Call<BodyOf<Operation<P, M>>>,
) => Promise<AnswerOf<Operation<P, M>>>;

function caller<M extends Method>(method: M): Typed<M> {
  return ((path: string, call: Call = {}) => ask(method, path, call)) as Typed<M>;
}

export const api = {
  get: caller("get"),
  post: caller("post"),
  put: caller("put"),
  patch: caller("patch"),
  delete: caller("delete"),
};
