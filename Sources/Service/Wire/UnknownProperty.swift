import JSON

/// A property in an object of params that the method does not take.
struct UnknownProperty {
    /// Its place, dotted: `user.emial`. A long name is cut.
    let path: String
    /// ` (did you mean user.email?)`; empty where the object takes no property with a name that is near.
    let hint: String
    /// What the object takes, by the same kind of path.
    let known: [String]
    /// Whether a required property is missing beside it, which it most likely is meant to be.
    private(set) var standsForRequired = false

    /// Finds the first one in the params of a method; nil where the method takes all of them.
    ///
    /// - Parameter params: the bytes of a JSON object.
    init?(in params: UnsafeRawBufferPointer, of method: Method) {
        var search = Search()
        do throws(JSONError) {
            var reader = JSONReader(params)
            try search.read(&reader, known: method.params, path: "")
        } catch {
            // What is wrong shows when the method reads its params.
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
        var found: UnknownProperty?
        var lacksRequired = false

        mutating func read(_ reader: inout JSONReader, known: [ParamName], path: String) throws(JSONError) {
            var missing = known.filter(\.isRequired)
            try reader.beginObject()
            while let name = try reader.nextMember() {
                guard let param = known.first(where: { name.equals($0.name) }) else {
                    if found == nil { found = UnknownProperty(name.string, in: path, known: known) }
                    try reader.skip()
                    continue
                }
                missing.removeAll { name.equals($0.name) }
                if !param.members.isEmpty, try reader.kind() == .object {
                    try read(&reader, known: param.members, path: "\(path)\(param.name).")
                } else {
                    try reader.skip()
                }
            }
            lacksRequired = lacksRequired || !missing.isEmpty
        }
    }
}
