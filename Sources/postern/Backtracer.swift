#if !DEBUG
    /// Takes the place of the function by which the Swift runtime looks for its backtracer before `main`.
    ///
    /// No release has the backtracer beside it. The runtime's own function makes a dozen system calls for it, and ends a
    /// statically linked program where there is no /proc: "Unable to obtain Swift runtime path".
    ///
    /// - Returns: always nil, for a tool that is not there.
    @_cdecl("swift_copyAuxiliaryExecutablePath")
    func noAuxiliaryExecutablePath(
        _ name: UnsafePointer<CChar>?,
        _ folder: UnsafePointer<CChar>?
    ) -> UnsafeMutablePointer<CChar>? {
        nil
    }
#endif
