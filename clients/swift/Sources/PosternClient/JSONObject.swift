internal import JSON

/// A JSON object with any properties, such as the metadata of an account.
///
/// It holds JSON text, from which `JSONDecoder` makes any `Decodable` type:
///
///     struct Settings: Codable { var theme: String }
///     let text = try String(decoding: JSONEncoder().encode(Settings(theme: "dark")), as: UTF8.self)
///     let stored = try await postern.sales.user.setMetadata(apiKey: key, metadata: JSONObject(text: text))
///     let settings = try JSONDecoder().decode(Settings.self, from: Data(stored.metadata.text.utf8))
public struct JSONObject: Equatable, Sendable {
    private let object: CompactObject

    /// Creates an object without properties.
    public init() {
        object = CompactObject()
    }

    /// Parses the text of an object.
    ///
    /// - Throws: `PosternError.malformedParams` if the text is not one JSON object, or if an object in it has two
    ///   properties with the same name.
    public init(text: String) throws(PosternError) {
        do {
            // A request with the object has two more levels at least.
            object = try Array(text.utf8).readJSON(depthMax: Limits.nestingDepthMax - 2) { reader in
                try CompactObject(reading: &reader)
            }
        } catch {
            let fault = error as? JSONError
            throw .malformedParams(fault.map { "\($0.reason) at byte \($0.offset)" } ?? "\(error)")
        }
    }

    /// The JSON text, without white space between tokens. Properties keep their order, and numbers their digits.
    public var text: String { String(decoding: object.bytes, as: UTF8.self) }
}

extension JSONObject: CustomStringConvertible {
    /// The JSON text.
    public var description: String { text }
}

extension JSONObject: ResultValue {
    init(reading reader: inout JSONReader) throws {
        object = try CompactObject(reading: &reader)
    }

    func write(to writer: inout JSONWriter) {
        object.write(to: &writer)
    }
}
