export {
  AbortSignalLike,
  Backoff,
  CallOptions,
  CloseOptions,
  Logger,
  Postern,
  PosternOptions,
  ProcessExit,
} from "./postern.js";
export {
  BinaryNotFound,
  CallError,
  ClientClosed,
  EventsLost,
  MessageTooLong,
  PosternError,
  ProcessEnded,
  ProtocolError,
} from "./errors.js";
export * as errors from "./generated/errors.js";
export * from "./generated/types.js";
