"use strict";

const { Postern } = require("./postern.js");
const {
  BinaryNotFound,
  CallError,
  ClientClosed,
  EventsLost,
  MessageTooLong,
  PosternError,
  ProcessEnded,
  ProtocolError,
} = require("./errors.js");
const errors = require("./generated/errors.js");

module.exports = {
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
};
