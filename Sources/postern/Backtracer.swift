#if !DEBUG
    /// Replaces the function with which the Swift runtime looks for its backtracer before `main`.
    ///
    /// No release contains the backtracer. The runtime's function makes a dozen system calls, and without /proc it ends
    /// a statically linked program: "Unable to obtain Swift runtime path".
    ///
    /// - Returns: always nil: the tool does not exist.
    @_cdecl("swift_copyAuxiliaryExecutablePath")
    func noAuxiliaryExecutablePath(
        _ name: UnsafePointer<CChar>?,
        _ folder: UnsafePointer<CChar>?
    ) -> UnsafeMutablePointer<CChar>? {
        nil
    }
#endif
