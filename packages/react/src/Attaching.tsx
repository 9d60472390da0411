import { type ReactNode, useEffect, useRef, useState } from "react";
import { ATTACHABLE, type Attachment, described, isImage } from "./attachments.js";
import type { Attachments } from "./useAttachments.js";
import { plain, refusedFile } from "./words.js";

interface ButtonProps {
  attachments: Attachments;
  /** What is on the button, by default its name. */
  children?: ReactNode;
}

const ATTACH = "Attach images or PDFs";

/** The button that lets a person choose files. */
export function AttachButton({ attachments, children = ATTACH }: ButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="attach"
        data-part="attach"
        aria-label={ATTACH}
        title={ATTACH}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={ATTACHABLE.join()}
        onChange={({ target }) => {
          attachments.add(target.files ?? []);
          target.value = ""; // the same file may be chosen again
        }}
      />
    </>
  );
}

interface AttachingProps {
  attachments: Attachments;
  /** Whether an answer goes on, in which no file can be sent. */
  busy: boolean;
}

/** The files that are about to be sent, each with a button that removes it, and what is wrong with others. */
export function Attaching({ attachments, busy }: AttachingProps) {
  const { files, refused, remove } = attachments;
  const names = files.map(({ name }) => plain(name)).join(", ");
  return (
    <div className="attaching" data-part="attaching">
      <AttachmentList attachments={files.map(described)} onRemove={({ file }) => remove(file!)} />
      {refused.map((each, index) => (
        <p key={index} role="alert" data-part="error" data-code={each.why}>
          {refusedFile(each, attachments)}
        </p>
      ))}
      {busy && names && <p data-part="notice">Files can be sent once the answer is done.</p>}
      <p className="announcer" data-part="announcer" role="status">
        {names && `Attached: ${names}`}
      </p>
    </div>
  );
}

interface ListProps {
  attachments: Attachment[];
  onRemove?: (attachment: Attachment) => void;
}

/** Files by their names, and images as what they show. */
export function AttachmentList({ attachments, onRemove }: ListProps) {
  if (attachments.length === 0) return null;
  return (
    <ul className="attachments" data-part="attachments" aria-label="Attachments">
      {attachments.map((attachment, index) => (
        <li key={index} data-part="attachment" data-type={attachment.type}>
          <Preview attachment={attachment} />
          <span className="name" title={plain(attachment.name)}>
            {plain(attachment.name)}
          </span>
          {onRemove && (
            <button
              type="button"
              className="remove"
              data-part="remove"
              aria-label={`Remove ${plain(attachment.name)}`}
              onClick={({ currentTarget }) => {
                // The button is about to disappear, and the focus with it.
                currentTarget.closest("form")?.querySelector("textarea")?.focus();
                onRemove(attachment);
              }}
            >
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Preview({ attachment: { file } }: { attachment: Attachment }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!file || !isImage(file)) return;
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => {
      setAddress(undefined);
      URL.revokeObjectURL(made);
    };
  }, [file]);
  return address ? <img src={address} alt="" /> : null; // the name is beside it
}
