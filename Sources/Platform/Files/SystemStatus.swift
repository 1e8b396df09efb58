internal import CLibrary

/// The system's record of a file, read by stat(2) and its kin. `FileStamp` and `FileStatus` are views of it.
extension stat {
    init(of file: FileDescriptor) throws(SystemError) {
        self.init()
        guard fstat(file.rawValue, &self) == 0 else { throw .last }
    }

    init(at path: SystemString) throws(SystemError) {
        self.init()
        guard fstatat(AT_FDCWD, path.cString, &self, 0) == 0 else { throw .last }
    }

    init(of name: UnsafePointer<CChar>, in directory: FileDescriptor) throws(SystemError) {
        self.init()
        guard fstatat(directory.rawValue, name, &self, AT_SYMLINK_NOFOLLOW) == 0 else { throw .last }
    }
}
