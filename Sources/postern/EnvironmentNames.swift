import JSON
import Platform

/// The variables of the environment whose names say that they are for Postern.
enum EnvironmentNames {
    /// Those that the clients read; a host's environment is the program's as well.
    private static let clients = ["POSTERN_BIN", "POSTERN_CLIENT", "POSTERN_CLOSE_TIMEOUT", "POSTERN_TIMEOUT"]

    /// A warning for each `POSTERN_…` that no flag and no client reads, as a misspelt one would silently do nothing.
    static var warnings: [String] {
        let names = ProcessEnvironment.names(withPrefix: prefix)
        // Nearly no environment has any, and every start asks.
        if names.isEmpty { return [] }
        let known = Flag.all.map(\.variable)
        return names.filter { !known.contains($0) && !clients.contains($0) }.map { name in
            // The prefix is not part of what was misspelt, and would make any two names alike.
            let nearest = NearestName.of(String(name.dropFirst(prefix.count)), among: Flag.all.map(\.name))
            let hint = nearest.flatMap { Flag.named($0) }.map { " (did you mean \($0.variable)?)" } ?? ""
            return "the environment has \(name), which is no flag\(hint)"
        }
    }

    private static let prefix = "POSTERN_"
}
