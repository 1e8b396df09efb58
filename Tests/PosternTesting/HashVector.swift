import Foundation
import JSON

/// A password's hash that another program made, from Tests/HashVectors/vectors.json.
package struct HashVector: Sendable, CustomStringConvertible {
    /// The name and version of the program.
    package let program: String
    /// The call that made the hash.
    package let call: String
    package let password: String
    package let hash: String

    package var description: String { "\(program): \(hash)" }

    /// All vectors; none if the file cannot be read.
    package static let all: [HashVector] = {
        let file = PosternProcess.repository.appendingPathComponent("Tests/HashVectors/vectors.json")
        guard let text = try? String(contentsOf: file, encoding: .utf8), let values = try? JSONValue(parsing: text)
        else {
            return []
        }
        return (values.array ?? []).compactMap(HashVector.init)
    }()

    private init?(_ value: JSONValue) {
        guard let program = value["program"]?.string, let call = value["call"]?.string,
            let password = value["password"]?.string, let hash = value["hash"]?.string
        else { return nil }
        (self.program, self.call, self.password, self.hash) = (program, call, password, hash)
    }

    /// The hash with another character near its end.
    package var changedHash: String {
        var bytes = Array(hash.utf8)
        let index = bytes.count - 10
        bytes[index] = bytes[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
        return String(decoding: bytes, as: UTF8.self)
    }
}
