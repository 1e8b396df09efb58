import JSON

/// A response (JSON-RPC 2.0 §5) that the host sent. It is valid while the chunk that it was read from is.
struct Response {
    /// The bytes of the id; nil if it is absent, or is not a string, a number or null.
    let id: UnsafeRawBufferPointer?
    let isVersion2: Bool
    /// The bytes of the result; nil if it is absent.
    let result: UnsafeRawBufferPointer?
    /// The bytes of the error; nil if it is absent.
    let error: UnsafeRawBufferPointer?

    /// The id, if it is a string. A host may write it with other escapes than it was sent with.
    var stringID: String? {
        guard let id, id.first == UInt8(ascii: "\"") else { return nil }
        var reader = JSONReader(id)
        do throws(JSONError) {
            return try reader.text().string
        } catch {
            return nil
        }
    }

    /// What the response says; `malformed` if it has not exactly one of result and error.
    var answer: HostAnswer {
        guard isVersion2 else { return .malformed }
        do throws(JSONError) {
            switch (result, error) {
            case (let result?, nil): return .result(try JSONValue(parsing: result))
            case (nil, let error?): return Self.answer(error: try JSONValue(parsing: error))
            case (nil, nil), (_?, _?): return .malformed
            }
        } catch {
            return .malformed
        }
    }

    private static func answer(error: JSONValue) -> HostAnswer {
        guard let code = error["code"]?.int, let message = error["message"]?.string else { return .malformed }
        return .error(RPCError(code: code, message: message, data: error["data"]))
    }
}
