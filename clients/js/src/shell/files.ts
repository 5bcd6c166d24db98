/** Files: announced, uploaded to where the server says, and looked at until the server's check of them has ended. */

import { given } from "../core/given.js";
import { ParleyError } from "../errors.js";
import type { UploadForm } from "../generated/http.js";
import type { Api } from "../http.js";
import type { FileOut, UploadOptions } from "../types.js";

type ContentType = NonNullable<UploadOptions["content_type"]>;
type Links = { file: FileOut; until: number };

const CHECK_FIRST = 300;
const CHECK_LIMIT = 2_000;
const CHECK_TIMES = 90;
const TYPES: Record<string, ContentType> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  zip: "application/zip",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  txt: "text/plain",
  csv: "text/csv",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  wav: "audio/wav",
  mp4: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
};

export class Files {
  readonly #links = new Map<string, Promise<Links>>();

  constructor(
    private readonly api: Api,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  async upload(file: Blob | Uint8Array, options: UploadOptions): Promise<FileOut> {
    const blob = file instanceof Blob ? file : new Blob([file as Uint8Array<ArrayBuffer>]);
    const { name, kind, duration_ms, waveform, signal, onProgress } = options;
    const content_type = typeOf(name, options.content_type ?? blob.type);
    const body = { name, content_type, size: blob.size, ...given({ kind, duration_ms, waveform }) };
    const begun = await this.api.post("/v1/files", { body, ...given({ signal }) });
    onProgress?.(0, blob.size);
    await this.#post(begun.upload, blob, onProgress, signal);
    onProgress?.(blob.size, blob.size);
    return this.#checked(begun.file_id, signal);
  }

  /** A file with its links, which are kept for as long as they are good. */
  async get(id: string): Promise<FileOut> {
    const known = this.#links.get(id);
    if (known !== undefined) {
      const { file, until } = await known;
      if (Date.now() < until) return file;
    }
    const asked = this.api.get("/v1/files/{file_id}", { path: { file_id: id } }).then((file) => {
      return { file, until: Date.now() + Math.max(0, (file.expires_in ?? 0) - 15) * 1_000 };
    });
    this.#links.set(id, asked);
    asked.catch(() => this.#links.delete(id));
    return (await asked).file;
  }

  async #checked(id: string, signal?: AbortSignal): Promise<FileOut> {
    for (let time = 0; time < CHECK_TIMES; time++) {
      const pause = Math.min(CHECK_LIMIT, CHECK_FIRST * 1.5 ** time);
      await new Promise((resolve) => setTimeout(resolve, pause));
      const file = await this.api.get("/v1/files/{file_id}", { path: { file_id: id }, ...given({ signal }) });
      if (file.status === "ready") return file;
      if (file.status === "rejected") {
        throw new ParleyError("file_rejected", `The file was not taken: ${file.reason ?? "no reason was given"}`);
      }
    }
    throw new ParleyError("timeout", "The file was not checked in time", true);
  }

  async #post(
    form: UploadForm,
    blob: Blob,
    onProgress?: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const data = new FormData();
    for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
    data.append("file", blob);
    const status =
      typeof XMLHttpRequest === "undefined"
        ? await this.#byFetch(form.url, data, signal)
        : await byRequest(form.url, data, blob.size, onProgress, signal);
    if (status >= 200 && status < 300) return;
    throw new ParleyError("expired", `The storage answered ${status}`, status >= 500, undefined, status);
  }

  async #byFetch(url: string, body: FormData, signal?: AbortSignal): Promise<number> {
    try {
      return (await this.fetch(url, { method: "POST", body, ...given({ signal }) })).status;
    } catch (error) {
      throw signal?.aborted ? calledOff() : ParleyError.of(error);
    }
  }
}

/** `fetch` does not say how far an upload is. */
function byRequest(
  url: string,
  body: FormData,
  size: number,
  onProgress?: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = (event) => onProgress?.(Math.min(event.loaded, size), size);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new ParleyError("unreachable", "The upload failed", true));
    request.onabort = () => reject(calledOff());
    signal?.addEventListener("abort", () => request.abort());
    if (signal?.aborted) reject(calledOff());
    else request.send(body);
  });
}

const calledOff = () => new ParleyError("aborted", "The upload was called off");

/** What the file says, or else its name; the server says what it takes. */
function typeOf(name: string, given: string): ContentType {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return (given || TYPES[extension] || "application/octet-stream") as ContentType;
}
