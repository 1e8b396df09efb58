import JSON
import JSONRPC

/// The name of a method's param, or of a property of a param that is an object.
package struct ParamName {
    let name: StaticString
    let isRequired: Bool
    /// Whether tools have it.
    let isOfTools: Bool
    /// The properties of an object; empty for any other type.
    let properties: [ParamName]

    init(
        _ name: StaticString,
        isRequired: Bool = false,
        isOfTools: Bool = true,
        _ properties: [ParamName] = []
    ) {
        self.name = name
        self.isRequired = isRequired
        self.isOfTools = isOfTools
        self.properties = properties
    }
}

extension Method {
    /// The error for params that are not an object. It lists the names of the params, without those that only some
    /// hosts give.
    var wantsObject: RPCError {
        let names = params.filter(\.isOfTools).map { $0.name.description }
        return RPCError.invalidParams.because(
            names.isEmpty
                ? "\(name) takes an object without properties"
                : "\(name) takes an object with \(names.joined(separator: ", "))"
        )
    }

    /// The error for an unknown property. It suggests the nearest known property, or lists all of them if none is near.
    func hasNo(_ property: UnknownProperty) -> RPCError {
        let known = property.known.isEmpty ? "it takes none" : "it takes \(property.known.joined(separator: ", "))"
        let hint = property.hint.isEmpty ? "; \(known)" : property.hint
        return RPCError.invalidParams.because("\(name) has no property \(property.path)\(hint)").formatted(for: self)
    }
}
