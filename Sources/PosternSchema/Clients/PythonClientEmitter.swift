/// Generates the errors, the types, the bounds and the names of idempotent methods of the Python client.
/// `PythonMethodsEmitter` generates the methods.
struct PythonClientEmitter {
    /// The path and text of every file.
    let files: [(String, String)]

    init(_ contract: ClientContract) {
        let texts = [
            ("_bounds", Self.bounds(of: contract)),
            ("_idempotent", Self.idempotent(contract)),
            ("errors/__init__", Self.errorModules(of: contract)),
            ("types", Self.types(of: contract)),
            ("_sync_methods", PythonMethodsEmitter(contract, isAsync: false).lines),
            ("_async_methods", PythonMethodsEmitter(contract, isAsync: true).lines),
        ]
        let errors = contract.errorGroups.map { ("errors/\($0.api)", Self.errors(of: $0)) }
        files = (texts + errors).map { name, lines in
            ("\(Self.folder)/\(name).py", ([Self.mark] + lines).joined(separator: "\n") + "\n")
        }
    }

    /// The folder of the package.
    static let folder = "clients/python/src/postern_accounts"

    private static let mark = "# \(generatedWords)"

    private static func bounds(of contract: ClientContract) -> [String] {
        [
            "\"\"\"The bounds of a request, and the version of the contract.\"\"\"",
            "",
            "MESSAGE_BYTES_MAX = \(contract.messageBytesMax.grouped(by: "_"))",
            "\"\"\"\(ClientContract.messageBytesMeaning)\"\"\"",
            "",
            "NESTING_DEPTH_MAX = \(contract.nestingDepthMax)",
            "\"\"\"\(ClientContract.nestingDepthMeaning)\"\"\"",
            "",
            "CONTRACT_VERSION = \"\(contract.version)\"",
            "\"\"\"\(ClientContract.versionMeaning)\"\"\"",
        ]
    }

    private static func idempotent(_ contract: ClientContract) -> [String] {
        func set(_ name: String, _ methods: [ClientContract.ClientMethod], _ meaning: String) -> [String] {
            ["", "\(name) = frozenset("] + (["{"] + methods.map { "    \"\($0.name)\"," } + ["}"]).indented
                + [")", "\"\"\"\(meaning)\"\"\""]
        }
        let methods = contract.methods
        return ["\"\"\"The methods that a supervised client may send again.\"\"\""]
            + set("READ_ONLY", methods.filter(\.isReadOnly), ClientContract.readOnlyMeaning)
            + set("IDEMPOTENT", methods.filter(\.isIdempotent), ClientContract.idempotentMeaning)
    }

    private static func errorModules(of contract: ClientContract) -> [String] {
        let failures = [
            "BinaryNotFound", "CallError", "CallTimeout", "ClientClosed", "EventsLost", "MessageTooLong",
            "PosternError",
            "ProcessEnded", "ProtocolError",
        ]
        let apis = contract.errorGroups.map(\.api)
        return [
            "\"\"\"The errors of this package, and one module per API with a class for each slug of its errors.\"\"\"",
            "",
        ] + failures.map { "from .._failures import \($0) as \($0)" }
            + apis.sorted().map { "from . import \($0) as \($0)" }
            + ["", "BY_API: dict[str, dict[str, type[CallError]]] = {"]
            + apis.map { "    \"\($0)\": \($0).BY_SLUG," }
            + ["}", "\"\"\"The class of each slug, by API.\"\"\""]
    }

    private static func errors(of group: ClientContract.ErrorGroup) -> [String] {
        let classes = group.errors.flatMap { error in
            ["", "", "class \(error.name)(CallError):"] + docstring(error.description).indented
        }
        return [
            "\"\"\"The errors of \(group.api): \(group.title.lowerFirst).\"\"\"", "",
            "from .._failures import CallError",
        ] + classes
            + ["", "", "BY_SLUG: dict[str, type[CallError]] = {"]
            + group.errors.map { "    \"\($0.slug)\": \($0.name)," } + ["}", "\"\"\"The class of each slug.\"\"\""]
    }

    private static func types(of contract: ClientContract) -> [String] {
        let enumerations = contract.enumerations.flatMap { enumeration in
            let line = "\(enumeration.name) = \(enumeration.values.pythonLiteral)"
            let values = enumeration.values.map { "    \"\($0)\"," }
            // The linter's limit.
            let lines = line.count <= 120 ? [line] : ["\(enumeration.name) = Literal["] + values + ["]"]
            return [""] + lines + docstring(enumeration.description)
        }
        let classes = enumerations + contract.types.flatMap(result) + contract.inputs.flatMap(input)
        return [
            "\"\"\"The objects in results and params. Times are UTC, with microseconds.\"\"\"",
            "",
            "from __future__ import annotations",
            "",
        ]
            + classes.imports(of: ["Sequence"], from: "collections.abc")
            + classes.imports(of: ["dataclass", "field"], from: "dataclasses")
            + classes.imports(of: ["date", "datetime"], from: "datetime")
            + classes.imports(of: ["Any", "Literal", "TypedDict"], from: "typing")
            + [""]
            + classes.imports(
                of: [
                    "any_object", "boolean", "choice", "day", "epoch", "integer", "listed", "nullable",
                    "object_members", "read", "read_optional", "string", "time",
                ],
                from: "._reading"
            ) + classes.imports(of: ["SECRET", "Redacting"], from: "._redacting") + classes
    }

    /// A frozen dataclass and its reading code.
    private static func result(_ type: ClientContract.ClientType) -> [String] {
        // Python requires that fields with a default come last.
        let properties = type.properties.filter { !$0.isOptional } + type.properties.filter(\.isOptional)
        let fields = properties.flatMap { property in
            let type = property.pythonResultType + (property.isOptional && !property.isNullable ? " | None" : "")
            return ["\(property.name): \(type)\(property.pythonDefault)"]
                + docstring(property.description + (property.isOptional ? " None if the reply omits it." : ""))
        }
        let reading = properties.map { property in
            let function = property.isOptional ? "read_optional" : "read"
            return "        \(property.name)=\(function)(properties, \"\(property.name)\", \(property.pythonReader)),"
        }
        let reader =
            [
                "", "@classmethod", "def from_json(cls, value: object) -> \(type.name):",
                "    \"\"\"Reads the result of `call`; raises ValueError if a property is missing or has another type.\"\"\"",
                "    properties = object_members(value)", "    return cls(",
            ] + reading + ["    )"]
        let isRedacting = type.properties.contains(where: \.isSecret)
        let head = [
            "@dataclass(frozen=True, slots=True, kw_only=True\(isRedacting ? ", repr=False" : ""))",
            "class \(type.name)\(isRedacting ? "(Redacting)" : ""):",
        ]
        return ["", ""] + head
            + (docstring(type.description) + [""] + fields + reader).indented
    }

    /// The typed dictionary of an input.
    private static func input(_ type: ClientContract.ClientType) -> [String] {
        let required = type.properties.filter { !$0.isOptional }
        let optional = type.properties.filter(\.isOptional)
        if optional.isEmpty { return input(type.name, "TypedDict", type.description, required) }
        if required.isEmpty { return input(type.name, "TypedDict, total=False", type.description, optional) }
        // Python 3.10 has no NotRequired.
        let base = "_\(type.name)Required"
        return input(base, "TypedDict", type.description, required)
            + input(type.name, "\(base), total=False", type.description, optional)
    }

    private static func input(
        _ name: String,
        _ bases: String,
        _ description: String,
        _ properties: [ClientContract.ClientProperty]
    ) -> [String] {
        let fields = properties.flatMap { property in
            ["\(property.name): \(property.pythonParamType(isParam: false))"] + docstring(property.description)
        }
        return ["", "", "class \(name)(\(bases)):"] + (docstring(description) + [""] + fields).indented
    }

    /// A text as a docstring of a class or of a field, indented by four columns. On one line if it fits into
    /// 120 columns, as ruff formats it; if not, the closing quotes are on a separate line.
    private static func docstring(_ text: String) -> [String] {
        let line = "\"\"\"\(text)\"\"\""
        return line.count <= 116 ? [line] : "\"\"\"\(text)".wrapped(to: 112) + ["\"\"\""]
    }
}
