internal import CLibrary

/// The environment variables of this process.
package enum ProcessEnvironment {
    /// The value of a variable; nil if it is not set.
    package static func value(of name: String) -> SystemString? {
        getenv(name).map { SystemString(copying: $0) }
    }

    /// Overwrites the value of a variable with zeros, in the memory that the system passed it in. The variable is empty
    /// then.
    package static func wipe(_ name: String) {
        guard let value = getenv(name) else { return }
        UnsafeMutableRawBufferPointer(start: value, count: strlen(value)).wipe()
    }

    /// The entries, `NAME=value`, followed by a null pointer.
    private static var entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
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
        let count = prefix.utf8.count
        prefix.withCString { prefix in
            while let entry = place.pointee {
                if strncmp(entry, prefix, count) == 0 {
                    names.append(String(SystemString(copying: entry).description.prefix { $0 != "=" }))
                }
                place += 1
            }
        }
        return names.sorted()
    }

    /// Copies of the entries, byte by byte because they may not be UTF-8, without the variables with the given names.
    /// The caller frees them.
    static func copies(except names: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies: [UnsafeMutablePointer<CChar>?] = []
        var place = entries
        while let entry = place.pointee {
            if !names.contains(where: { strncmp(entry, "\($0)=", $0.utf8.count + 1) == 0 }) {
                copies.append(strdup(entry))
            }
            place += 1
        }
        return copies
    }
}
