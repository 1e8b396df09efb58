/// Generates the types, methods and errors of the Go client, and the dispatch of its tests to the typed methods.
struct GoClientEmitter {
    let files: [(String, String)]

    init(_ contract: ClientContract) {
        let folder = "clients/go"
        files = [
            ("\(folder)/types_generated.go", Self.types(contract)),
            ("\(folder)/methods_generated.go", Self.methods(contract)),
            ("\(folder)/errors_generated.go", Self.errors(contract)),
            ("\(folder)/internal/transcript/dispatch_generated.go", Self.dispatch(contract)),
        ]
    }

    private static func text(_ package: String, _ blocks: [[String]]) -> String {
        "\(GoText.mark)\npackage \(package)\n\n" + blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
            + "\n"
    }
}

extension GoClientEmitter {
    private static func types(_ contract: ClientContract) -> String {
        let results = contract.types.map { structure($0, notes: resultNotes) }
        let inputs = contract.inputs.map { structure($0, notes: paramNotes) }
        let imports = [["import (", "\t\"fmt\"", "\t\"time\"", ")"]]
        return text("postern", imports + contract.enumerations.map(enumeration) + results + inputs)
    }

    private static func enumeration(_ enumeration: Enumeration) -> [String] {
        let names = enumeration.values.map { "\(enumeration.name)\(GoText.exported($0))" }
        let width = names.map(\.count).max() ?? 0
        let constants = zip(names, enumeration.values).map { name, value in
            "\t\(name)\(String(repeating: " ", count: width - name.count)) \(enumeration.name) = \"\(value)\""
        }
        return GoText.comment("\(enumeration.name) is \(enumeration.description.lowerFirst)")
            + ["type \(enumeration.name) string", ""]
            + GoText.comment("The values of [\(enumeration.name)]. A newer service may have more.")
            + ["const ("] + constants + [")"]
    }

    private static func structure(
        _ type: ClientContract.ClientType,
        notes: (ClientContract.ClientProperty) -> [String]
    ) -> [String] {
        let verb = type.name.hasSuffix("List") ? "lists" : "is"
        return structure(type.name, "\(type.name) \(verb) \(type.description.lowerFirst)", type.properties, notes)
    }

    private static func structure(
        _ name: String,
        _ description: String,
        _ properties: [ClientContract.ClientProperty],
        _ notes: (ClientContract.ClientProperty) -> [String]
    ) -> [String] {
        let fields = properties.flatMap { property in
            let sentences = [property.description] + notes(property)
            let tag = property.isOptional ? "\(property.name),omitempty" : property.name
            return GoText.comment(sentences.joined(separator: " "), indent: 1) + [
                "\t\(GoText.exported(property.name)) \(type(of: property)) `json:\"\(tag)\"`"
            ]
        }
        return GoText.comment(description) + ["type \(name) struct {"] + fields + ["}"] + formatting(name, properties)
    }

    /// The method with which package fmt prints a struct without its secrets.
    private static func formatting(_ name: String, _ properties: [ClientContract.ClientProperty]) -> [String] {
        let secrets = properties.filter { $0.isSecret && $0.content == .string && !$0.isList }
        guard !secrets.isEmpty else { return [] }
        let hidden = secrets.map { property in
            let isPointer = property.isOptional || property.isNullable
            return "\tshown.\(GoText.exported(property.name)) = redacted\(isPointer ? "Pointer" : "")"
                + "(v.\(GoText.exported(property.name)))"
        }
        let comment = GoText.comment("Format writes the value for package fmt, without its secrets.")
        return [""] + comment + ["func (v \(name)) Format(state fmt.State, verb rune) {"]
            + ["\ttype plain \(name)", "\tshown := plain(v)"] + hidden
            + ["\tformat(state, verb, shown)", "}"]
    }

    private static func type(of property: ClientContract.ClientProperty) -> String {
        let string = property.enumeration?.name ?? "string"
        let element = property.content.name(
            string: string,
            integer: "int64",
            boolean: "bool",
            time: "time.Time",
            anyObject: "map[string]any"
        )
        return (property.isNullable || property.isOptional ? "*" : "") + (property.isList ? "[]" : "") + element
    }

    private static func resultNotes(_ property: ClientContract.ClientProperty) -> [String] {
        let absence =
            property.isOptional ? ["Nil if the reply omits it."] : property.isNullable ? ["Nil means null."] : []
        let numbers = property.content == .anyObject ? ["A number in it is a json.Number."] : []
        return property.goContentNotes + numbers + absence
    }

    private static func paramNotes(_ property: ClientContract.ClientProperty) -> [String] {
        let absence = property.isOptional ? ["Nil omits it."] : []
        let null = property.isNullable ? ["An empty string has the same effect as null."] : []
        return property.choiceNotes + property.goContentNotes + absence + null
    }
}

extension GoClientEmitter {
    private static func methods(_ contract: ClientContract) -> String {
        let head = [
            ["import (", "\t\"context\"", "\t\"encoding/json\"", "\t\"fmt\"", ")"],
            GoText.comment("MessageBytesMax is the maximum length of a request, in bytes, without its line feed.")
                + ["const MessageBytesMax = \(contract.messageBytesMax)"],
            GoText.comment("NestingDepthMax is the maximum nesting depth of objects and lists in a request.")
                + ["const NestingDepthMax = \(contract.nestingDepthMax)"],
            GoText.comment("ContractVersion is the version of the contract that this client needs at least.")
                + ["const ContractVersion = \"\(contract.version)\""],
            set("readOnlyMethods", contract.methods.filter(\.isReadOnly), ClientContract.readOnlyMeaning),
            set("idempotentMethods", contract.methods.filter(\.isIdempotent), ClientContract.idempotentMeaning),
        ]
        let description = GoText.comment("Methods are the service's methods, grouped by the parts of their names.")
        let root = description + ["type Methods struct {"] + fields(contract.groups) + ["}"]
        let groups = contract.groups.flatMap(\.outerFirst)
        let functions = groups.flatMap { group in group.methods.flatMap { blocks($0, in: group) } }
        return text("postern", head + [root, binding(contract.groups)] + groups.map(declaration) + functions)
    }

    private static func set(_ name: String, _ methods: [ClientContract.ClientMethod], _ meaning: String) -> [String] {
        GoText.comment("\(name) are \(meaning.lowerFirst)") + ["var \(name) = map[string]bool{"]
            + GoText.aligned(methods.map { ("\"\($0.name)\":", "true,") }) + ["}"]
    }

    private static func fields(_ groups: [ClientContract.Group]) -> [String] {
        groups.flatMap { group in
            GoText.comment(group.description, indent: 1) + ["\t\(GoText.exported(group.name)) \(group.goType)"]
        }
    }

    private static func declaration(_ group: ClientContract.Group) -> [String] {
        let inner = fields(group.groups)
        return GoText.comment("\(group.goType) are the methods `\(group.path).…`.") + ["type \(group.goType) struct {"]
            + inner + (inner.isEmpty ? [] : [""]) + ["\tservice *Client", "}"]
    }

    /// The function that sets the client of all groups.
    private static func binding(_ groups: [ClientContract.Group]) -> [String] {
        let paths = groups.flatMap(\.outerFirst).map { group in
            group.words.map(GoText.exported).joined(separator: ".")
        }
        return ["func methodsOf(service *Client) Methods {", "\tvar methods Methods"]
            + paths.map { "\tmethods.\($0).service = service" } + ["\treturn methods", "}"]
    }

    private static func blocks(_ method: ClientContract.ClientMethod, in group: ClientContract.Group) -> [[String]] {
        let params = structure(
            method.goParams,
            "\(method.goParams) are the params of [\(group.goType).\(method.goName)].",
            method.params,
            paramNotes
        )
        return (method.params.isEmpty ? [] : [params]) + [function(method, in: group)]
    }

    private static func function(_ method: ClientContract.ClientMethod, in group: ClientContract.Group) -> [String] {
        let errors = method.errors.map { "[\($0.goName)]" }
        let list = [errors.dropLast().joined(separator: ", "), errors.last ?? ""].filter { !$0.isEmpty }
        let ending = errors.isEmpty ? "" : " Its errors: \(list.joined(separator: " and "))."
        let description =
            "\(method.goName) \(method.summary.lowerFirst) \(method.description)\n\n"
            + "It calls `\(method.name)`\(method.isIdempotent ? ", which is idempotent" : "").\(ending)"
        let given = method.params.isEmpty ? "nil" : "params"
        let wire = "\"\(method.name)\""
        let (result, body) =
            switch method.result {
            case .nothing: ("error", ["_, err := m.service.Call(ctx, \(wire), \(given))", "return err"])
            case .anyObject: ("(json.RawMessage, error)", ["return m.service.Call(ctx, \(wire), \(given))"])
            case .object(let name):
                ("(*\(name), error)", ["return call[\(name)](ctx, m.service, \(wire), \(given))"])
            }
        let parameters = ["ctx context.Context"] + (method.params.isEmpty ? [] : ["params \(method.goParams)"])
        let head = "func (m \(group.goType)) \(method.goName)("
        let line = "\(head)\(parameters.joined(separator: ", "))) \(result) {"
        let signature = line.count <= 120 ? [line] : [head] + parameters.map { "\t\($0)," } + [") \(result) {"]
        return GoText.comment(description) + signature + body.map { "\t\($0)" } + ["}"]
    }
}

extension GoClientEmitter {
    private static func errors(_ contract: ClientContract) -> String {
        let names = contract.slugs.map { "Slug\(GoText.exported($0.text))" }
        let width = names.map(\.count).max() ?? 0
        let slugs = zip(names, contract.slugs).map { name, slug in
            "\t\(name)\(String(repeating: " ", count: width - name.count)) Slug = \"\(slug.text)\""
        }
        let constants =
            GoText.comment(
                "The slugs of the service's errors. The type with the names of an API and a slug says when the error occurs."
            )
            + ["const ("] + slugs + [")"]
        let types = contract.errorGroups.flatMap(\.errors).map { error in
            GoText.comment("\(error.goName) is the error `\(error.slug)` of \(error.api). \(error.description)")
                + ["type \(error.goName) struct{ *CallError }"]
        }
        let cases = contract.errorGroups.flatMap(\.errors).flatMap { error in
            ["\tcase \"\(error.api).\(error.slug)\":", "\t\treturn &\(error.goName){failure}"]
        }
        let function =
            GoText.comment("typed converts an error to the type of its slug in an API; nil for an unknown slug.")
            + ["func typed(api string, failure *CallError) error {", "\tswitch api + \".\" + string(failure.Slug) {"]
            + cases + ["\tdefault:", "\t\treturn nil", "\t}", "}"]
        return text("postern", [constants] + types + [function])
    }
}

extension GoClientEmitter {
    private static func dispatch(_ contract: ClientContract) -> String {
        let names =
            GoText.comment("MethodNames are the names of all methods with a typed form.")
            + ["var MethodNames = []string{"] + contract.methods.map { "\t\"\($0.name)\"," } + ["}"]
        let methods = contract.methods.flatMap { method in
            let form =
                switch method.result {
                case _ where method.params.isEmpty: "withoutParams"
                case .nothing: "withoutResult"
                case .anyObject, .object: "withBoth"
                }
            let path = method.path.map(GoText.exported).joined(separator: ".")
            return ["\tcase \"\(method.name)\":", "\t\treturn \(form)(client.\(path))"]
        }
        let form =
            GoText.comment("typedForm returns the typed form of a method, or nil if it has none.")
            + ["func typedForm(client *postern.Client, method string) form {", "\tswitch method {"] + methods
            + ["\tdefault:", "\t\treturn nil", "\t}", "}"]
        let errors = contract.errorGroups.flatMap(\.errors).flatMap { error in
            ["\tcase \"\(error.api).\(error.slug)\":", "\t\treturn is[*postern.\(error.goName)](err)"]
        }
        let type =
            GoText.comment("hasTypeOf reports whether an error has the type of a slug; false for an unknown slug.")
            + [
                "func hasTypeOf(api string, slug postern.Slug, err error) bool {",
                "\tswitch api + \".\" + string(slug) {",
            ]
            + errors + ["\tdefault:", "\t\treturn false", "\t}", "}"]
        return text("transcript", [["import postern \"github.com/postern-accounts/postern-go\""], names, form, type])
    }
}
