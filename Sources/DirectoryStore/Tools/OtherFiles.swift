package import Platform
package import Store

/// Where a program may create files that are not a store's.
package enum OtherFiles {
    /// Throws if a path is in the directory of a store, which removes files that have the names of its own.
    ///
    /// - Throws: `StoreError.withinStore`. A directory that cannot be read is not checked.
    package static func check(_ path: SystemString) throws(StoreError) {
        do throws(StoreError) {
            try StorePlace(path, .real).checkSurroundings()
        } catch {
            if case .withinStore = error { throw error }
        }
    }
}
