internal import CLibrary

/// The environment variables of this process.
package enum ProcessEnvironment {
    /// The value of a variable; nil if it is not set.
    package static func value(of name: String) -> SystemString? {
        getenv(name).map { SystemString(copying: $0) }
    }

    /// The entries, `NAME=value`, followed by a null pointer.
    static var entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        #if canImport(Darwin)
            // Untested.
            _NSGetEnviron().pointee
        #else
            environ
        #endif
    }

    /// The names with a prefix, sorted. Other variables are not converted to strings.
    package static func names(withPrefix prefix: String) -> [String] {
        var names: [String] = []
        var place = entries
        while let entry = place.pointee {
            if strncmp(entry, prefix, prefix.utf8.count) == 0 {
                names.append(String(SystemString(copying: entry).description.prefix { $0 != "=" }))
            }
            place += 1
        }
        return names.sorted()
    }
}
