import JSON
import JSONRPC

/// Errors about a method or a property that a request names.
extension RPCError {
    /// The error for an unknown method. It suggests the nearest method, or names the flags without which the method
    /// does not exist.
    static func methodNotFound(_ name: JSONText, _ served: ServedMethods) -> RPCError {
        let known = served.all.map(\.name.description) + MCPMethod.allCases.map(\.name.description)
        if let method = Method.named(name) {
            return methodNotFound.because("\(method.name) exists with \(served.flags(toServe: method)) only")
        }
        guard name.bytes.count <= NearestName.bytesMax else { return methodNotFound }
        let hint = NearestName.hint(for: name.string, among: known)
        return hint.isEmpty ? methodNotFound : methodNotFound.because(name.string + hint)
    }

    /// The error for a property that an object of params has twice.
    ///
    /// - Parameter offset: where the second one's name begins in `params`.
    static func duplicateProperty(at offset: Int, in params: UnsafeRawBufferPointer) -> RPCError {
        var reader = JSONReader(UnsafeRawBufferPointer(rebasing: params[min(offset, params.count)...]))
        do throws(JSONError) {
            return invalidParams.because("the property \(try reader.text().string.shortened) is given twice")
        } catch {
            return invalidParams
        }
    }
}
