// The parts of Node that the core uses, so that it can be type-checked without Node's types.

declare module "node:buffer" {
  interface Buffer {
    readonly length: number;
    indexOf(value: number, start?: number): number;
    subarray(start?: number, end?: number): Buffer;
    toString(encoding: "utf8", start?: number, end?: number): string;
  }
  const Buffer: {
    from(text: string): Buffer;
    alloc(size: number): Buffer;
    byteLength(text: string): number;
    concat(pieces: readonly Buffer[]): Buffer;
  };
}

declare module "node:fs" {
  import type { Buffer } from "node:buffer";

  const constants: { O_RDONLY: number; O_WRONLY: number; O_NONBLOCK: number; O_NOCTTY: number };
  function openSync(path: string, flags: number): number;
  function closeSync(descriptor: number): void;
  function fstatSync(descriptor: number): { isFile(): boolean };
  function writeSync(descriptor: number, bytes: Buffer): number;
}

declare module "node:net" {
  class Socket {
    constructor(options: { fd: number; readable: boolean; writable: boolean });
  }
}

declare module "node:worker_threads" {
  const isMainThread: boolean;
}

declare module "node:util" {
  interface InspectOptions {
    depth?: number | null;
  }
  const inspect: {
    (value: unknown, options?: InspectOptions): string;
    readonly custom: unique symbol;
  };
}

declare module "node:stream" {
  import type { Buffer } from "node:buffer";

  interface Pipe {
    destroy(): void;
    unref(): void;
    on(event: "error", listener: (error: Error) => void): void;
  }
  interface Readable extends Pipe {
    on(event: "data", listener: (chunk: Buffer) => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    once(event: "end", listener: () => void): void;
    pause(): void;
    resume(): void;
  }
  interface Writable extends Pipe {
    on(event: "drain", listener: () => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    write(text: string): boolean;
    end(): void;
  }
}

declare module "node:child_process" {
  import type { Readable, Writable } from "node:stream";

  interface ChildProcess {
    readonly pid?: number;
    readonly stdin: Writable;
    readonly stdout: Readable;
    readonly stderr: Readable;
    kill(signal: string): boolean;
    ref(): void;
    unref(): void;
    on(event: "error", listener: (error: Error) => void): void;
    once(event: "spawn" | "close", listener: () => void): void;
    once(event: "exit", listener: (code: number | null, signal: string | null) => void): void;
  }
  interface SpawnOptions {
    cwd: string | undefined;
    env: { [name: string]: string | undefined };
    detached: boolean;
    stdio: "pipe";
  }
  function spawn(path: string, arguments_: readonly string[], options: SpawnOptions): ChildProcess;
}

declare module "node:fs/promises" {
  const constants: { X_OK: number };
  function access(path: string, mode: number): Promise<void>;
  function stat(path: string): Promise<{ isFile(): boolean }>;
}

declare module "node:path" {
  const delimiter: string;
  function resolve(...parts: string[]): string;
}

declare namespace NodeJS {
  interface Timeout {
    unref(): void;
  }
}

declare const process: {
  readonly platform: string;
  readonly arch: string;
  readonly env: { [name: string]: string | undefined };
  readonly stderr: { write(text: string): void };
  nextTick(body: () => void): void;
  once(event: "exit", listener: () => void): void;
};

declare const require: { (name: string): any; resolve(name: string): string };
declare const __dirname: string;
declare const performance: { now(): number };

declare function setInterval(body: () => void, milliseconds: number): NodeJS.Timeout;
declare function clearInterval(timer: NodeJS.Timeout | undefined): void;
declare function setTimeout(body: () => void, milliseconds: number): NodeJS.Timeout;
declare function clearTimeout(timer: NodeJS.Timeout | undefined): void;

declare class DOMException extends Error {
  constructor(message: string, name: string);
}
