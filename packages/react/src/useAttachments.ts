import { type ClipboardEvent, type DragEvent, useMemo, useState } from "react";
import { type AttachmentLimits, choose, type RefusedFile } from "./attachments.js";

/** The files that are about to be sent. */
export interface Attachments extends AttachmentLimits {
  files: File[];
  /** What cannot be sent of what was added last. */
  refused: RefusedFile[];
  add(files: Iterable<File>): void;
  remove(file: File): void;
  clear(): void;
  /** For the element onto which files are dropped, such as a form. */
  drop: { onDragOver(event: DragEvent): void; onDrop(event: DragEvent): void };
  /** For the textbox into which they are pasted. */
  onPaste(event: ClipboardEvent): void;
}

const NONE = { files: [] as File[], refused: [] as RefusedFile[] };

/** Holds files until they are sent. The limits are the server's, which refuses what goes beyond; by default as its own. */
export function useAttachments({ max = 5, maxKb = 4096 }: Partial<AttachmentLimits> = {}): Attachments {
  const [chosen, setChosen] = useState(NONE);
  return useMemo(() => {
    const add = (more: Iterable<File>) => {
      const list = [...more]; // the browser empties its own once its event is over
      setChosen(({ files }) => choose(files, list, { max, maxKb }));
    };
    const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
    return {
      ...chosen,
      max,
      maxKb,
      add,
      remove: (file) => setChosen(({ files }) => ({ files: files.filter((each) => each !== file), refused: [] })),
      clear: () => setChosen(NONE),
      drop: {
        onDragOver: (event) => hasFiles(event) && event.preventDefault(),
        onDrop: (event) => {
          if (!hasFiles(event)) return;
          event.preventDefault(); // the browser would leave the page and show the file
          add(event.dataTransfer.files);
        },
      },
      onPaste: (event) => {
        const { files } = event.clipboardData;
        // What is copied from a table or a document comes as text, with a picture of it besides.
        if (files.length === 0 || event.clipboardData.getData("text/plain")) return;
        event.preventDefault();
        add(files);
      },
    };
  }, [chosen, max, maxKb]);
}
