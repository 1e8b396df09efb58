import Mail
import Platform

extension Options {
    /// How mails are delivered, with the password of a mail server, which is read from its file.
    ///
    /// - Throws: `CommandError` if a mail server has a user without a password or the reverse, or if it cannot be used
    ///   on this machine.
    var mailRoute: MailRoute {
        get throws(CommandError) {
            guard case .smtp(var server) = mail else { return mail }
            guard Program.path(of: SMTPServer.program) != nil else {
                throw .usage(
                    "--mail smtp://… and smtps://… need the program \(SMTPServer.program), which is not installed"
                )
            }
            switch (server.user, mailPasswordFile) {
            case (nil, nil): break
            case (_?, let path?): server.password = try Self.mailPassword(in: path)
            case (_?, nil): throw .usage("a user in --mail needs --mail-password-file")
            case (nil, _?): throw .usage("--mail-password-file needs a user in --mail: smtp://USER@HOST")
            }
            return .smtp(server)
        }
    }

    /// The first line of a file.
    private static func mailPassword(in path: SystemString) throws(CommandError) -> String {
        let text: String
        do throws(CommandError) {
            text = try TextFile.contents(of: path)
        } catch {
            throw .usage("--mail-password-file: \(error.message)")
        }
        let line = text.prefix { !$0.isNewline }
        let isValid = !line.isEmpty && line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isValid, line.utf8.count <= Mail.Limits.smtpPasswordBytesMax else {
            throw .usage(
                "--mail-password-file: the first line of \(path) must be a password of at most "
                    + "\(Mail.Limits.smtpPasswordBytesMax) bytes"
            )
        }
        return String(line)
    }
}
