import Glibc

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
        guard let path = candidates.first(where: isProgram) else {
            throw .binaryNotFound(places: before + (candidates.isEmpty ? ["PATH (empty)"] : candidates.map(place)))
        }
        return path
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
