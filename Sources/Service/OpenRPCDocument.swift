import JSON

/// The contract as an OpenRPC document.
package enum OpenRPCDocument {
    /// The whole contract, as one line of JSON.
    package static var text: String {
        var writer = JSONWriter()
        write(to: &writer) { _ in true }
        return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes the document with only those methods for which `isServed` is true.
    static func write(to writer: inout JSONWriter, serving isServed: (Method) -> Bool) {
        var document: [UInt8] = []
        document.append(OpenRPCPieces.head)
        var isFirst = true
        for method in Method.allCases where isServed(method) {
            if !isFirst { document.append(UInt8(ascii: ",")) }
            document.append(OpenRPCPieces.method(method))
            isFirst = false
        }
        document.append(OpenRPCPieces.tail)
        writer.raw(document)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
