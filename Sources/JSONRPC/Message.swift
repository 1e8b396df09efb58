package import JSON

/// A run of bytes that were read, kept where they are until the last message in them is done with.
final class Chunk {
    // Written once, in `init`, and only read from then on.
    let bytes: UnsafeRawBufferPointer

    init(copying source: UnsafeRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 8)
        copy.copyMemory(from: source)
        self.bytes = UnsafeRawBufferPointer(copy)
    }

    deinit {
        bytes.deallocate()
    }

    /// A chunk of nothing.
    static var empty: Chunk { Chunk(copying: UnsafeRawBufferPointer(start: nil, count: 0)) }
}

/// One request: what a handler is asked to do.
package struct Request {
    /// The method's name.
    package let method: JSONText
    /// The params as they were written, an object or an array; nil where there are none.
    package let params: UnsafeRawBufferPointer?
    /// The id as it was written; nil for a notification, which gets no answer.
    let id: UnsafeRawBufferPointer?
    /// Keeps what the members above point into.
    let chunk: Chunk
}

/// What a message turned out to be.
enum Message {
    case request(Request)
    /// Not a request; the error goes to the id, where one could be read.
    case invalid(RPCError, id: UnsafeRawBufferPointer?)
    /// A response, which a server has no use for.
    case ignored
}

/// What one frame holds, read whole.
enum Line {
    case message(Message)
    case batch([Message])
    case malformed(RPCError)

    /// Reads a line's bytes, which stand in `chunk`.
    init(_ bytes: UnsafeRawBufferPointer, in chunk: Chunk) {
        var reader = JSONReader(bytes, depthMax: Limits.nestingDepthMax)
        do throws(JSONError) {
            if try reader.kind() == .array {
                self = try Line(batch: &reader, in: chunk)
            } else {
                let message = try Message(reading: &reader, in: chunk)
                try reader.finish()
                self = .message(message)
            }
        } catch {
            self = .malformed(.parseError)
        }
    }

    private init(batch reader: inout JSONReader, in chunk: Chunk) throws(JSONError) {
        var messages: [Message] = []
        var count = 0
        try reader.beginArray()
        while try reader.nextElement() {
            count += 1
            // Past the bound the rest is only looked at for whether it is JSON.
            if count > Limits.batchMessagesMax {
                try reader.skip()
            } else {
                messages.append(try Message(reading: &reader, in: chunk))
            }
        }
        try reader.finish()
        if count == 0 {
            self = .message(.invalid(.invalidRequest, id: nil))
        } else if count > Limits.batchMessagesMax {
            self = .message(.invalid(.batchTooLong, id: nil))
        } else {
            self = .batch(messages)
        }
    }
}

extension Message {
    /// Reads one message.
    ///
    /// - Throws: where it is not JSON, and where its envelope has a member twice, so that what it says is not certain.
    init(reading reader: inout JSONReader, in chunk: Chunk) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skip()
            self = .invalid(.invalidRequest, id: nil)
            return
        }
        self = try Envelope(reading: &reader).message(in: chunk)
    }
}

/// The members of a message, as they come.
private struct Envelope {
    private var isVersion2 = false
    private var hasID = false
    private var id: UnsafeRawBufferPointer?
    private var method: JSONText?
    private var hasMethod = false
    private var params: UnsafeRawBufferPointer?
    private var paramsAreStructured = true
    private var isResponse = false

    init(reading reader: inout JSONReader) throws(JSONError) {
        var names = MemberNames()
        try reader.beginObject()
        while let name = try reader.nextMember() {
            guard names.insert(name) else { throw JSONError(.unexpectedByte, at: reader.offset) }
            let kind = try reader.kind()
            if name.equals("id") {
                hasID = true
                let raw = try reader.raw()
                id = kind == .string || kind == .number || kind == .null ? raw : nil
            } else if name.equals("method") {
                hasMethod = true
                if kind == .string { method = try reader.text() } else { try reader.skip() }
            } else if name.equals("params") {
                let raw = try reader.raw()
                paramsAreStructured = kind == .object || kind == .array || kind == .null
                params = kind == .null ? nil : raw
            } else if name.equals("jsonrpc"), kind == .string {
                isVersion2 = try reader.text().equals("2.0")
            } else {
                if name.equals("result") || name.equals("error") { isResponse = true }
                try reader.skip()
            }
        }
    }

    func message(in chunk: Chunk) -> Message {
        if isResponse, !hasMethod { return .ignored }
        guard !hasID || id != nil, isVersion2, let method, !method.bytes.isEmpty, paramsAreStructured else {
            return .invalid(.invalidRequest, id: id)
        }
        return .request(Request(method: method, params: params, id: id, chunk: chunk))
    }
}

/// The names that an object has had so far.
private struct MemberNames {
    private var few: [JSONText] = []
    /// Takes over once there are many, so that a hostile object costs no more than its length.
    private var many: Set<[UInt8]> = []

    /// Adds a name; false where it was there.
    mutating func insert(_ name: JSONText) -> Bool {
        if !many.isEmpty { return many.insert(Array(name.string.utf8)).inserted }
        guard !few.contains(where: { isSame($0, name) }) else { return false }
        few.append(name)
        if few.count > 16 { many = Set(few.map { Array($0.string.utf8) }) }
        return true
    }

    private func isSame(_ left: JSONText, _ right: JSONText) -> Bool {
        // Byte by byte: strings that Swift holds to be equal may be written in different ways.
        if left.hasEscapes || right.hasEscapes { return left.string.utf8.elementsEqual(right.string.utf8) }
        return left.bytes.elementsEqual(right.bytes)
    }
}
