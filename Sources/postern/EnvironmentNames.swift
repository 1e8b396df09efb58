import JSON
import Platform

/// The environment variables with the prefix `POSTERN_`.
enum EnvironmentNames {
    /// The variables that the clients read. The program inherits them from the environment of its host.
    private static let clients = ["POSTERN_BIN"]

    /// The names of the variables of this process.
    static let given = ProcessEnvironment.names(withPrefix: prefix)

    /// Whether there is a variable.
    static var isUsed: Bool { !given.isEmpty }

    /// A warning for each `POSTERN_…` variable that no flag and no client reads. Without it, a misspelt variable would
    /// silently have no effect.
    static var warnings: [String] {
        // Avoids the work below at nearly every start: most environments have no such variable.
        if given.isEmpty { return [] }
        let flags = Flag.all.filter { !$0.isOnlyGiven }
        let known = flags.map(\.variable)
        return given.filter { !known.contains($0) && !clients.contains($0) }.map { name in
            if let flag = Flag.all.first(where: { $0.isOnlyGiven && $0.variable == name }) {
                return
                    "the environment variable \(name) has no effect: --\(flag.name) must be given on the command line"
            }
            // The names are compared without the prefix, which would make any two names similar.
            let nearest = NearestName.of(String(name.dropFirst(prefix.count)), among: flags.map(\.name))
            let hint = nearest.flatMap { Flag.named($0) }.map { " (did you mean \($0.variable)?)" } ?? ""
            return "unknown environment variable \(name)\(hint)"
        }
    }

    private static let prefix = "POSTERN_"
}
