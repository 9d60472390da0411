/** The conversations that this browser keeps of a visitor, over reloads and in each tab. */

import { type Kept, readExchanges, writeExchanges } from "./history.js";
import type { AgentView } from "./agentStream.js";

export interface Entry {
  /** The conversation's name in this browser; the server has ids of its own. */
  id: string;
  /** The first words of its first message. */
  title: string;
  /** When the last message was sent (ms since the epoch). */
  at: number;
}

export interface Volume extends Entry {
  exchanges: Kept[];
  /** Whether an answer to the last message was still to come. */
  isOpen: boolean;
}

interface Stored extends Entry {
  size: number;
}

const PREFIX = "agent-conversations:";
/** A site has five million characters for all its pages: of one conversation, and of all. */
const MOST_OF_ONE = 500_000;
const MOST_OF_ALL = 2_000_000;
const MOST = 50;

export class Shelf {
  /** Where the list is kept; each conversation has a place of its own behind it. */
  readonly place: string;
  /** What could not be stored lasts as long as the page. */
  readonly #unstored = new Map<string, { entry: Stored; body: string }>();

  /** Asked for each time: it may be switched off. */
  readonly #storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">;

  constructor(place: string, storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem"> = () => localStorage) {
    this.place = PREFIX + place;
    this.#storage = storage;
  }

  placeOf = (id: string): string => `${this.place} ${id}`;

  /** The newest first. */
  list(): Stored[] {
    const unstored = Array.from(this.#unstored.values(), ({ entry }) => entry);
    return [...this.#stored(), ...unstored].sort((one, other) => other.at - one.at);
  }

  volume(id: string): Volume | undefined {
    const entry = this.list().find((each) => each.id === id);
    const body = parse(this.#unstored.get(id)?.body ?? this.#read(this.placeOf(id))) as Partial<Volume> | null;
    return entry && Array.isArray(body?.exchanges)
      ? { ...entry, exchanges: body.exchanges, isOpen: body.isOpen === true }
      : undefined;
  }

  exchanges(id: string): AgentView[] {
    return readExchanges(this.volume(id)?.exchanges ?? []);
  }

  /** Keeps these exchanges; the oldest conversations go where there is no room for all. */
  put(entry: Entry, views: AgentView[], isOpen: boolean): void {
    this.#store(entry, `{"isOpen":${isOpen},"exchanges":${writeExchanges(views, MOST_OF_ONE)}}`);
  }

  /** Puts back what `volume` gave. */
  putBack({ exchanges, isOpen, ...entry }: Volume): void {
    this.#store(entry, JSON.stringify({ isOpen, exchanges }));
  }

  remove(id: string): void {
    this.#unstored.delete(id);
    this.#erase(this.placeOf(id));
    this.#write(this.place, JSON.stringify(this.#stored().filter((each) => each.id !== id)));
  }

  #store({ id, title, at }: Entry, body: string): void {
    const entry = { id, title, at, size: body.length };
    this.#unstored.delete(id);
    const others = this.list().filter((each) => each.id !== id);
    const size = () => others.reduce((sum, each) => sum + each.size, entry.size);
    while (others.length >= MOST || size() > MOST_OF_ALL) this.#drop(others);
    const isStored = () => {
      const list = [entry, ...others.filter((each) => !this.#unstored.has(each.id))];
      return this.#write(this.placeOf(id), body) && this.#write(this.place, JSON.stringify(list));
    };
    while (!isStored()) {
      // Storage is full or switched off. Where nothing is left to make room with, this page alone knows it.
      if (this.#stored().every((each) => each.id === id)) {
        this.#erase(this.placeOf(id));
        this.#unstored.set(id, { entry, body });
        return;
      }
      this.#drop(others);
      this.#write(this.place, JSON.stringify(others.filter((each) => !this.#unstored.has(each.id))));
    }
  }

  #stored(): Stored[] {
    const list = parse(this.#read(this.place));
    return Array.isArray(list) ? list.filter(isEntry).filter(({ id }) => !this.#unstored.has(id)) : [];
  }

  #read(place: string): string | null {
    try {
      return this.#storage().getItem(place);
    } catch {
      return null;
    }
  }

  #write(place: string, text: string): boolean {
    try {
      this.#storage().setItem(place, text);
      return true;
    } catch {
      return false;
    }
  }

  #erase(place: string): void {
    try {
      this.#storage().removeItem(place);
    } catch {
      // Storage is switched off.
    }
  }

  /** Takes the oldest one away. */
  #drop(entries: Stored[]): void {
    const { id } = entries.pop()!;
    this.#unstored.delete(id);
    this.#erase(this.placeOf(id));
  }
}

const isEntry = (it: Partial<Stored> | null): it is Stored =>
  typeof it?.id === "string" && typeof it.title === "string" && typeof it.at === "number" && typeof it.size === "number";

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** What lasts as long as the page. */
export function pageStorage(): () => Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (place: string) => kept.get(place) ?? null,
    setItem: (place: string, text: string) => void kept.set(place, text),
    removeItem: (place: string) => void kept.delete(place),
  };
  return () => storage;
}
