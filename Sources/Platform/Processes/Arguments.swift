internal import CLibrary

/// The arguments that the program was started with.
package enum Arguments {
    /// The arguments, without the program's name.
    package static var all: [SystemString] {
        #if canImport(Darwin)
            ofStandardLibrary.dropFirst().map { $0 }
        #else
            (beforeEnvironment ?? ofStandardLibrary).dropFirst().map { $0 }
        #endif
    }

    #if !canImport(Darwin)
        /// The arguments, read from the stack: the kernel puts their number and their addresses before the environment.
        ///
        ///     argc | argv[0] … argv[argc - 1] | 0 | environ[0] … | 0 | … | the bytes of all of them | AT_EXECFN
        ///
        /// The standard library finds the stack through /proc/self/maps. Without /proc or without a free descriptor it
        /// has no arguments, and every flag would be ignored.
        ///
        /// - Returns: nil if the environment is not on the stack, because a library changed it before `main`.
        private static var beforeEnvironment: [SystemString]? {
            let words = UnsafeRawPointer(environ).assumingMemoryBound(to: UInt.self)
            let (bottom, top) = (UInt(bitPattern: words), getauxval(UInt(AT_EXECFN)))
            guard bottom < top, top - bottom < stackBytesMax, words[-1] == 0 else { return nil }
            var arguments: [SystemString] = []
            // Stops at argc. An address is never as small as a number of arguments.
            while case let word = words[-2 - arguments.count], word != arguments.count {
                guard (bottom..<top).contains(word), let argument = UnsafePointer<CChar>(bitPattern: word) else {
                    return nil
                }
                arguments.append(SystemString(copying: argument))
            }
            return arguments.reversed()
        }

        /// More than the kernel's limit for arguments and environment together: three quarters of 8 MiB (execve(2)).
        private static let stackBytesMax: UInt = 8 << 20
    #endif

    private static var ofStandardLibrary: [SystemString] {
        (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map { SystemString(copying: $0) } }
    }
}
