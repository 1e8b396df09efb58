/// Generates the methods of the Python client, grouped by the parts of their names, for threads or for asyncio.
struct PythonMethodsEmitter {
    private let contract: ClientContract
    private let isAsync: Bool

    init(_ contract: ClientContract, isAsync: Bool) {
        self.contract = contract
        self.isAsync = isAsync
    }

    /// The lines of the module.
    var lines: [String] {
        let root = ClientContract.Group(
            name: "",
            path: "",
            groups: contract.groups,
            methods: [],
            description: "All methods, grouped by the parts of their names."
        )
        let classes = classes(for: root)
        let types = (contract.enumerations.map(\.name) + (contract.types + contract.inputs).map(\.name)).sorted()
        return [
            "\"\"\"The methods of the service\(isAsync ? ", for asyncio" : "").\"\"\"",
            "",
            "from __future__ import annotations",
            "",
        ]
            + classes.imports(of: ["Sequence"], from: "collections.abc")
            + classes.imports(of: ["date", "datetime"], from: "datetime")
            + classes.imports(of: ["Any", "Literal"], from: "typing")
            + ["", "from ._calls import \(callType)"]
            + classes.imports(of: ["any_object", "nothing"], from: "._reading")
            + classes.imports(of: ["UNSET", "Unset", "given"], from: "._unset")
            + classes.imports(of: types, from: ".types")
            + classes
    }

    private var callType: String { isAsync ? "AsyncCall" : "Call" }

    /// The class of a group, preceded by the classes of the groups in it.
    private func classes(for group: ClientContract.Group) -> [String] {
        let inner = group.groups.flatMap { inner in
            ["self.\(inner.name) = \(className(of: inner))(call)", "\"\"\"\(inner.description)\"\"\""]
        }
        let initialiser =
            ["def __init__(self, call: \(callType)) -> None:"]
            + ((group.methods.isEmpty ? [] : ["self._call = call"]) + inner).indented
        let body = ["\"\"\"\(group.description)\"\"\"", ""] + initialiser + group.methods.flatMap(function)
        return group.groups.flatMap(classes) + ["", "", "class \(className(of: group)):"] + body.indented
    }

    private func className(of group: ClientContract.Group) -> String {
        (isAsync ? "Async" : group.path.isEmpty ? "Sync" : "") + group.path.upperCamel + "Methods"
    }

    private func function(for method: ClientContract.ClientMethod) -> [String] {
        let (type, reader) =
            switch method.result {
            case .nothing: ("None", "nothing")
            case .anyObject: ("dict[str, Any]", "any_object")
            case .object(let name): (name, "\(name).from_json")
            }
        let head = "\(isAsync ? "async " : "")def \(method.localName)("
        let params = method.params.map { param in
            "    \(param.name): \(param.pythonParamType(isParam: true))\(param.isOptional ? " = UNSET" : ""),"
        }
        let declaration =
            params.isEmpty
            ? ["\(head)self) -> \(type):"] : [head, "    self,", "    *,"] + params + [") -> \(type):"]
        return [""] + declaration + (documentation(of: method) + call(method, type: type, reader: reader)).indented
    }

    private func documentation(of method: ClientContract.ClientMethod) -> [String] {
        let params = method.params.flatMap { param in
            let lines = "\(param.name): \(param.description)".wrapped(to: 104)
            return ["    \(lines[0])"] + lines.dropFirst().map { "        \($0)" }
        }
        let errors = method.errors.map { "\($0.api).\($0.name)" }.joined(separator: ", ")
        let sections =
            [method.description.wrapped(to: 112)] + (params.isEmpty ? [] : [["Args:"] + params])
            + (errors.isEmpty ? [] : [["Raises:"] + errors.wrapped(to: 108).indented])
        return ["\"\"\"\(method.summary)"] + sections.flatMap { [""] + $0 } + ["\"\"\""]
    }

    private func call(_ method: ClientContract.ClientMethod, type: String, reader: String) -> [String] {
        let (opening, closing) = method.params.contains(where: \.isOptional) ? ("given(", ")") : ("{", "}")
        let given = method.params.map { opening == "{" ? "\"\($0.name)\": \($0.name)" : "\($0.name)=\($0.name)" }
        let head = (type == "None" ? "" : "return ") + (isAsync ? "await " : "") + "self._call("
        let params = given.isEmpty ? "None" : opening + given.joined(separator: ", ") + closing
        let line = "\(head)\"\(method.name)\", \(params), \(reader))"
        if line.count <= Self.width { return [line] }
        let inner = "\"\(method.name)\", \(params), \(reader)"
        if inner.count <= Self.width - 4 { return [head, "    \(inner)", ")"] }
        let exploded =
            params.count + 1 <= Self.width - 4
            ? ["\(params),"] : [opening] + given.map { "    \($0)," } + ["\(closing),"]
        return [head] + (["\"\(method.name)\","] + exploded + ["\(reader),"]).indented + [")"]
    }

    /// The number of columns for a method's body.
    private static let width = 112
}
