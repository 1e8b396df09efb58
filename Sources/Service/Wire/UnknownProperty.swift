import JSON

/// What happens to properties in the params that the method does not have.
enum Strictness {
    /// They are ignored.
    case ignoring
    /// They are refused.
    case refusing
    /// The method is called as a tool: they are refused, and those that only a host knows too.
    case tool

    /// The first property that is refused; nil if none is.
    func refused(in params: UnsafeRawBufferPointer, of method: Method) -> UnknownProperty? {
        self == .ignoring ? nil : UnknownProperty(in: params, of: method, isTool: self == .tool)
    }
}

/// A property in the params that the method does not have.
struct UnknownProperty {
    /// The dotted path: `user.emial`. A long name is shortened.
    let path: String
    /// ` (did you mean user.email?)`; empty if no known property of the object has a similar name.
    let hint: String
    /// The dotted paths of the object's known properties.
    let known: [String]
    /// Whether a required property is missing. The unknown one is then most likely a misspelling of it.
    private(set) var standsForRequired = false

    /// Finds the first unknown property in the params of a method; nil if there is none.
    ///
    /// - Parameters:
    ///   - params: the bytes of a JSON object.
    ///   - isTool: whether the method is called as a tool, which lacks the properties that only a host knows.
    init?(in params: UnsafeRawBufferPointer, of method: Method, isTool: Bool = false) {
        var search = Search(isTool: isTool)
        do throws(JSONError) {
            var reader = JSONReader(params)
            try search.read(&reader, known: method.params, path: "")
        } catch {
            // The method reports the same error when it reads its params.
            return nil
        }
        guard var found = search.found else { return nil }
        found.standsForRequired = search.lacksRequired
        self = found
    }

    private init(_ name: String, in path: String, known: [ParamName]) {
        self.path = path + name.shortened
        self.known = known.map { path + $0.name.description }
        hint = NearestName.of(name, among: known.map(\.name.description)).map { " (did you mean \(path)\($0)?)" } ?? ""
    }

    private struct Search {
        let isTool: Bool
        var found: UnknownProperty?
        var lacksRequired = false

        mutating func read(_ reader: inout JSONReader, known: [ParamName], path: String) throws(JSONError) {
            let known = isTool ? known.filter(\.isOfTools) : known
            var missing = known.filter(\.isRequired)
            try reader.beginObject()
            while let name = try reader.nextProperty() {
                guard let param = known.first(where: { name.equals($0.name) }) else {
                    if found == nil { found = UnknownProperty(name.string, in: path, known: known) }
                    try reader.skip()
                    continue
                }
                missing.removeAll { name.equals($0.name) }
                if !param.properties.isEmpty, try reader.kind() == .object {
                    try read(&reader, known: param.properties, path: "\(path)\(param.name).")
                } else {
                    try reader.skip()
                }
            }
            lacksRequired = lacksRequired || !missing.isEmpty
        }
    }
}
