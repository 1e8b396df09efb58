// The same objects as those of `require`, so that errors are instances of the same classes in both module systems.
import client from "./index.js";

export const {
  BinaryNotFound,
  CallError,
  ClientClosed,
  EventsLost,
  MessageTooLong,
  Postern,
  PosternError,
  ProcessEnded,
  ProtocolError,
  errors,
} = client;
