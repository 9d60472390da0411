/** Files that go along with a prompt: images and PDFs. */

import { RunFailed } from "./failure.js";

/** A file that was sent along. */
export interface Attachment {
  name: string;
  /** Media type, as the browser takes it from the name. */
  type: string;
  /** Bytes. */
  size: number;
  /** The file itself; lost with a reload. */
  file?: File;
}

/** What the server takes: `stream.attachments` of its configuration. */
export interface AttachmentLimits {
  /** Files with one prompt. */
  max: number;
  /** Kilobytes of a file. */
  maxKb: number;
}

/** A file that cannot be sent, and why. */
export interface RefusedFile {
  name: string;
  why: "type" | "size" | "empty" | "number";
}

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/** Media types of what can be sent. */
export const ATTACHABLE = [...IMAGES, "application/pdf"];

export const isImage = ({ type }: { type: string }): boolean => IMAGES.includes(type);

/** Adds files to those that are chosen: as many as may be sent, and what is wrong with the others. */
export function choose(chosen: File[], more: File[], { max, maxKb }: AttachmentLimits) {
  const files = [...chosen];
  const refused: RefusedFile[] = [];
  for (const file of more) {
    const why = faultOf(file, maxKb) ?? (files.length >= max ? "number" : undefined);
    if (why) refused.push({ name: file.name, why });
    else files.push(file);
  }
  return { files, refused };
}

function faultOf({ type, size }: File, maxKb: number): RefusedFile["why"] | undefined {
  if (!ATTACHABLE.includes(type)) return "type";
  if (size === 0) return "empty";
  return size > maxKb * 1024 ? "size" : undefined;
}

export const described = (file: File): Attachment => ({ name: file.name, type: file.type, size: file.size, file });

/** What a reload keeps of them. */
export const withoutFiles = (attachments: Attachment[] = []): Attachment[] =>
  attachments.map(({ name, type, size }) => ({ name, type, size }));

/** The files as the server takes them. Throws `RunFailed` if one of them is gone. */
export const packed = (attachments: Attachment[]): Promise<{ name: string; data: string }[]> =>
  Promise.all(attachments.map(async ({ name, file }) => ({ name, data: await base64(name, file) })));

function base64(name: string, file: File | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const gone = () => {
      const message = `“${name}” cannot be read any more. Attach it again.`;
      reject(new RunFailed({ code: "attachment_lost", message, retryable: false }));
    };
    if (!file) return gone();
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = gone;
    reader.readAsDataURL(file);
  });
}
