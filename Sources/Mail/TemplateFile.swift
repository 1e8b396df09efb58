internal import Platform

/// Reads the files of templates.
enum TemplateFile {
    /// The lines of a template.
    ///
    /// - Parameter name: the template's name in errors.
    static func lines(of bytes: [UInt8], name: String) throws(TemplateError) -> [Substring] {
        guard bytes.count <= Limits.templateBytesMax else {
            throw TemplateError("\(name) is longer than \(Limits.templateBytesMax) bytes")
        }
        guard let template = String(validating: bytes, as: UTF8.self) else {
            throw TemplateError("\(name) is not UTF-8")
        }
        return template.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The lines of a file; nil if it does not exist.
    static func lines(ofFile file: SystemString) throws(TemplateError) -> [Substring]? {
        let bytes: [UInt8]?
        do throws(SystemError) {
            // Without `.notWaiting`, opening a named pipe would wait for its other end. The option has no effect on a
            // regular file.
            let descriptor = try FileDescriptor.open(file, .reading | .notWaiting | .notControlling)
            defer { descriptor.close() }
            bytes = isRegular(descriptor) ? try descriptor.contents(bytesMax: Limits.templateBytesMax) : nil
        } catch .noSuchFile {
            return nil
        } catch {
            throw TemplateError("\(file): \(error)")
        }
        guard let bytes else { throw TemplateError("\(file) is not a regular file") }
        return try lines(of: bytes, name: "\(file)")
    }

    private static func isRegular(_ descriptor: FileDescriptor) -> Bool {
        do throws(SystemError) {
            return try FileStatus(of: descriptor).kind == .regular
        } catch {
            return false
        }
    }
}
