import JSON

/// The properties of a message, collected as they are read.
struct Envelope {
    private var isVersion2 = false
    private var hasID = false
    private var id: UnsafeRawBufferPointer?
    private var method: JSONText?
    private var hasMethod = false
    private var params: UnsafeRawBufferPointer?
    private var paramsAreStructured = true
    private var result: UnsafeRawBufferPointer?
    private var error: UnsafeRawBufferPointer?

    init(reading reader: inout JSONReader) throws(JSONError) {
        var seen = SeenProperties()
        try reader.beginObject()
        while let name = try reader.nextProperty() {
            let property = Property(name)
            guard seen.insert(property, name) else { throw JSONError(.duplicateProperty, at: reader.place(of: name)) }
            switch property {
            case .id:
                hasID = true
                let raw = try reader.raw()
                switch raw.first {
                case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "t"), UInt8(ascii: "f"): id = nil
                default: id = raw
                }
            case .method:
                hasMethod = true
                method = try reader.textIfString()
                if method == nil { try reader.skip() }
            case .params:
                let raw = try reader.raw()
                switch raw.first {
                case UInt8(ascii: "{"), UInt8(ascii: "["): params = raw
                case UInt8(ascii: "n"): params = nil
                default: paramsAreStructured = false
                }
            case .jsonrpc:
                let version = try reader.textIfString()
                isVersion2 = version?.equals("2.0") ?? false
                if version == nil { try reader.skip() }
            case .result: result = try reader.raw()
            case .error: error = try reader.raw()
            case .other:
                try reader.skip()
            }
        }
    }

    func message() -> Message {
        if !hasMethod, result != nil || error != nil {
            return .response(Response(id: id, isVersion2: isVersion2, result: result, error: error))
        }
        guard !hasID || id != nil, isVersion2, let method, !method.bytes.isEmpty, paramsAreStructured else {
            return .invalid(fault, id: id)
        }
        return .request(Request(method: method, params: params, id: id))
    }

    /// Why the message is not a valid request.
    private var fault: RPCError {
        if hasID, id == nil { return .wrongID }
        if !isVersion2 { return .wrongVersion }
        if !hasMethod { return .noMethod }
        if method?.bytes.isEmpty ?? true { return .wrongMethod }
        return .wrongParams
    }
}

extension Envelope {
    /// The properties that JSON-RPC defines, and `other` for the rest.
    fileprivate enum Property: UInt8 {
        case jsonrpc, id, method, params, result, error, other

        init(_ name: JSONText) {
            switch name.bytes.count {
            case 2 where name.equals("id"): self = .id
            case 5 where name.equals("error"): self = .error
            case 6 where name.equals("method"): self = .method
            case 6 where name.equals("params"): self = .params
            case 6 where name.equals("result"): self = .result
            case 7 where name.equals("jsonrpc"): self = .jsonrpc
            // A name with escapes is longer than its decoded text, so its length does not identify it. No client writes
            // one.
            default: self = name.hasEscapes ? Property(text: name.string) : .other
            }
        }

        private init(text: String) {
            self =
                switch text {
                case "jsonrpc": .jsonrpc
                case "id": .id
                case "method": .method
                case "params": .params
                case "result": .result
                case "error": .error
                default: .other
                }
        }
    }

    /// The properties that have been read: one bit for each that JSON-RPC defines, and the names of the others.
    ///
    /// Names are compared by their bytes, because Swift treats strings as equal that have different bytes.
    fileprivate struct SeenProperties {
        private var bits: UInt8 = 0
        private var others: Set<[UInt8]> = []

        /// Adds a property; false if it was present already.
        mutating func insert(_ property: Property, _ name: JSONText) -> Bool {
            guard property != .other else { return others.insert(Array(name.string.utf8)).inserted }
            let bit: UInt8 = 1 << property.rawValue
            defer { bits |= bit }
            return bits & bit == 0
        }
    }
}
