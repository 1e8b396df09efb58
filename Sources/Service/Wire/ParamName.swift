import JSON
import JSONRPC

/// The name of a method's param, or of a property of one that is an object.
package struct ParamName {
    let name: StaticString
    let isRequired: Bool
    /// The properties of an object; empty for any other type.
    let members: [ParamName]

    init(_ name: StaticString, isRequired: Bool = false, _ members: [ParamName] = []) {
        self.name = name
        self.isRequired = isRequired
        self.members = members
    }
}

extension Method {
    /// The error for params that are no object: it lists the params by name.
    var wantsObject: RPCError {
        let names = params.map { $0.name.description }
        return RPCError.invalidParams.because(
            names.isEmpty
                ? "\(name) takes an object without properties"
                : "\(name) takes an object with \(names.joined(separator: ", "))"
        )
    }

    /// The first property of params that the method does not take, dotted, with the nearest one that it takes: `emial (did
    /// you mean email?)`; nil where there is none. `params` is an object.
    func unknownProperty(in params: UnsafeRawBufferPointer) -> String? {
        var reader = JSONReader(params)
        do throws(JSONError) {
            return try Self.unknownProperty(reading: &reader, among: self.params, path: "").unknown
        } catch {
            return nil
        }
    }

    /// The same, where a required param is missing beside it, which it most likely is meant to be.
    func unknownPropertyInPlaceOfRequired(in params: UnsafeRawBufferPointer) -> String? {
        var reader = JSONReader(params)
        do throws(JSONError) {
            let found = try Self.unknownProperty(reading: &reader, among: self.params, path: "")
            return found.lacksRequired ? found.unknown : nil
        } catch {
            return nil
        }
    }

    private static func unknownProperty(
        reading reader: inout JSONReader,
        among known: [ParamName],
        path: String
    ) throws(JSONError) -> (unknown: String?, lacksRequired: Bool) {
        var unknown: String?
        var lacksRequired = false
        var missing = known.filter(\.isRequired).map(\.name.description)
        try reader.beginObject()
        while let member = try reader.nextMember() {
            let name = member.string
            guard let param = known.first(where: { member.equals($0.name) }) else {
                try reader.skip()
                // A longer name is no slip, and is not repeated.
                let shown = name.utf8.count <= 64 ? path + name : "\(path)\(name.unicodeScalars.prefix(16))…"
                unknown =
                    unknown ?? shown
                    + NearestName.hint(for: path + name, among: known.map { path + $0.name.description })
                continue
            }
            missing.removeAll { $0 == name }
            guard !param.members.isEmpty, try reader.kind() == .object else {
                try reader.skip()
                continue
            }
            let inner = try unknownProperty(reading: &reader, among: param.members, path: "\(path)\(name).")
            unknown = unknown ?? inner.unknown
            lacksRequired = lacksRequired || inner.lacksRequired
        }
        return (unknown, lacksRequired || !missing.isEmpty)
    }
}
