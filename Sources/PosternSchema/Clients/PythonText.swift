/// The Python types of params and properties.
extension ClientContract.ClientProperty {
    /// The type of a property of a result. A property with choices is a plain string, because a newer service may add
    /// choices.
    var pythonResultType: String {
        let element = pythonChoices ?? pythonName
        let type = isList ? "tuple[\(element), ...]" : element
        return isNullable ? "\(type) | None" : type
    }

    /// The default after the type of a property of a result. It also marks a secret, which `repr` must not show.
    var pythonDefault: String {
        if isSecret { return " = field(\(isOptional ? "default=None, " : "")metadata=SECRET)" }
        return isOptional ? " = None" : ""
    }

    /// The type of a property of an input, or of a param. `Unset` is the type of an omitted param. A date may also be
    /// the text of a form, which the service checks.
    func pythonParamType(isParam: Bool) -> String {
        let element = pythonChoices ?? (isDate && !isList ? "date | str" : pythonName)
        let type = (isList ? "Sequence[\(element)]" : element) + (isParam && isOptional ? " | Unset" : "")
        return isNullable ? "\(type) | None" : type
    }

    /// The expression that reads a property of a result.
    var pythonReader: String {
        let string = isDate ? "day" : choices.isEmpty ? "string" : "choice"
        let element = content.name(
            string: string,
            integer: "integer",
            boolean: "boolean",
            time: "time",
            epoch: "epoch",
            anyObject: "any_object"
        ) { "\($0).from_json" }
        let reader = isList ? "listed(\(element))" : element
        return isNullable ? "nullable(\(reader))" : reader
    }

    /// The type of a string with choices; nil for other values.
    private var pythonChoices: String? {
        choices.isEmpty ? nil : wholeEnumeration ?? choices.pythonLiteral
    }

    private var pythonName: String {
        content.name(
            string: isDate ? "date" : "str",
            integer: "int",
            boolean: "bool",
            time: "datetime",
            epoch: "datetime",
            anyObject: "dict[str, Any]"
        )
    }
}

extension [String] {
    /// The `Literal` type of a string that is one of the strings.
    var pythonLiteral: String { "Literal[" + map { "\"\($0)\"" }.joined(separator: ", ") + "]" }

    /// The statement that imports the names that the lines use, in the given order; no lines if none is used.
    ///
    /// - Parameter names: in Python's usual order: constants, classes, functions.
    func imports(of names: [String], from module: String) -> [String] {
        let words = Set(flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init) })
        let used = names.filter(words.contains)
        if used.isEmpty { return [] }
        let line = "from \(module) import \(used.joined(separator: ", "))"
        return line.count <= 120
            ? [line] : ["from \(module) import ("] + used.map { "    \($0)," } + [")"]
    }
}
