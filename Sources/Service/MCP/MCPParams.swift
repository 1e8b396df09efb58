import Accounts
import JSON

/// What a request of MCP gives, of whichever method.
struct MCPParams {
    /// The version that `initialize` asks for.
    private(set) var protocolVersion: String?
    /// The page that a list is to go on with.
    private(set) var cursor: UnsafeRawBufferPointer?
    /// The tool to call.
    private(set) var name: JSONText?
    /// What to call it with.
    private(set) var arguments: UnsafeRawBufferPointer?
    /// What a request says of itself where no handshake has.
    private(set) var envelope = Envelope()

    /// What stands in `_meta`.
    struct Envelope {
        /// `io.modelcontextprotocol/protocolVersion`
        fileprivate(set) var protocolVersion: Given<String> = .absent
        /// Whether there are `io.modelcontextprotocol/clientCapabilities`.
        fileprivate(set) var hasClientCapabilities = false
    }

    /// Reads params, of which there may be none. What they hold must outlive this.
    ///
    /// - Throws: where they are no object.
    init(_ params: UnsafeRawBufferPointer?) throws(JSONError) {
        guard let params else { return }
        var reader = JSONReader(params)
        var names = MemberNames()
        try reader.beginObject()
        while let member = try reader.nextMember() {
            try names.insert(member, from: reader)
            let kind = try reader.kind()
            if member.equals("name"), kind == .string {
                name = try reader.text()
            } else if member.equals("protocolVersion"), kind == .string {
                protocolVersion = try reader.text().string
            } else if member.equals("arguments"), kind != .null {
                let raw = try reader.raw()
                try Self.checkUnique(raw, in: params)
                arguments = raw
            } else if member.equals("cursor"), kind != .null {
                cursor = try reader.raw()
            } else if member.equals("_meta"), kind == .object {
                envelope = try Envelope(reading: &reader)
            } else {
                try reader.skipUnique()
            }
        }
    }
}

extension MCPParams {
    /// Checks that no object within a value of the params has two properties of one name: two readers would see two calls.
    private static func checkUnique(
        _ value: UnsafeRawBufferPointer,
        in params: UnsafeRawBufferPointer
    ) throws(JSONError) {
        var reader = JSONReader(value)
        do throws(JSONError) {
            try reader.skipUnique()
        } catch {
            let start = value.baseAddress.flatMap { value in params.baseAddress.map { value - $0 } } ?? 0
            throw JSONError(error.reason, at: start + error.offset)
        }
    }
}

extension MCPParams.Envelope {
    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var names = MemberNames()
        try reader.beginObject()
        while let member = try reader.nextMember() {
            try names.insert(member, from: reader)
            if member.equals("io.modelcontextprotocol/protocolVersion") {
                protocolVersion = try Given(reading: &reader)
            } else if member.equals("io.modelcontextprotocol/clientCapabilities") {
                hasClientCapabilities = try reader.kind() == .object
                try reader.skipUnique()
            } else {
                try reader.skipUnique()
            }
        }
    }
}
