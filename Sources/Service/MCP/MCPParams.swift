import Accounts
import JSON

/// The params of an MCP request, for all methods.
struct MCPParams {
    /// The protocol version that `initialize` requests.
    private(set) var protocolVersion: String?
    /// The cursor of the next page of a list.
    private(set) var cursor: UnsafeRawBufferPointer?
    /// The name of the tool to call.
    private(set) var name: JSONText?
    /// The arguments of the tool.
    private(set) var arguments: UnsafeRawBufferPointer?
    /// The metadata of a stateless request.
    private(set) var envelope = Envelope()

    /// The object `_meta`.
    struct Envelope {
        /// `io.modelcontextprotocol/protocolVersion`
        fileprivate(set) var protocolVersion: Given<String> = .absent
        /// Whether `io.modelcontextprotocol/clientCapabilities` is an object.
        fileprivate(set) var hasClientCapabilities = false
    }

    /// Reads the params of a request; nil means that the request has no params. The bytes must outlive this value.
    ///
    /// - Throws: if the params are not an object, or an object in them has a property twice.
    init(_ params: UnsafeRawBufferPointer?) throws(JSONError) {
        guard let params else { return }
        var reader = JSONReader(params)
        var names = PropertyNames()
        try reader.beginObject()
        while let property = try reader.nextProperty() {
            try names.insert(property, from: reader)
            let kind = try reader.kind()
            if property.equals("name"), kind == .string {
                name = try reader.text()
            } else if property.equals("protocolVersion"), kind == .string {
                protocolVersion = try reader.text().string
            } else if property.equals("arguments"), kind != .null {
                let raw = try reader.raw()
                try Self.checkUnique(raw, in: params)
                arguments = raw
            } else if property.equals("cursor"), kind != .null {
                cursor = try reader.raw()
            } else if property.equals("_meta"), kind == .object {
                envelope = try Envelope(reading: &reader)
            } else {
                try reader.skipUnique()
            }
        }
    }
}

extension MCPParams {
    /// Checks that no object in a value of the params has two properties with the same name: two JSON readers could
    /// read such a call differently.
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
        var names = PropertyNames()
        try reader.beginObject()
        while let property = try reader.nextProperty() {
            try names.insert(property, from: reader)
            if property.equals("io.modelcontextprotocol/protocolVersion") {
                protocolVersion = try Given(reading: &reader)
            } else if property.equals("io.modelcontextprotocol/clientCapabilities") {
                hasClientCapabilities = try reader.kind() == .object
                try reader.skipUnique()
            } else {
                try reader.skipUnique()
            }
        }
    }
}
