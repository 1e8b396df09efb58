import Platform

/// Finds the binary.
enum Binary {
    /// The path of the binary.
    ///
    /// - Parameter name: a path, or a name to look for on PATH; nil for the value of POSTERN_BIN, or else `postern`.
    static func path(of name: String?) throws(PosternError) -> String {
        if let name { return try path(of: name, place: { $0 }) }
        if let name = environment("POSTERN_BIN") { return try path(of: name, place: { "\($0) (POSTERN_BIN)" }) }
        return try path(of: "postern", place: { "\($0) (PATH)" }, before: ["POSTERN_BIN (not set)"])
    }

    /// - Parameters:
    ///   - place: how the error names a path.
    ///   - before: the places that were tried before, for the error.
    private static func path(
        of name: String,
        place: (String) -> String,
        before: [String] = []
    ) throws(PosternError) -> String {
        let folders = (environment("PATH") ?? "").split(separator: ":")
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = candidates.first(where: { Program.isExecutable(at: SystemString($0)) }) else {
            throw .binaryNotFound(places: before + (candidates.isEmpty ? ["PATH (empty)"] : candidates.map(place)))
        }
        return path
    }

    private static func environment(_ name: String) -> String? {
        ProcessEnvironment.value(of: name).flatMap { $0.isEmpty ? nil : String(decoding: $0.bytes, as: UTF8.self) }
    }
}
