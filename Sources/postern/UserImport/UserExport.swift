/// The users in an export of another program. They can be read several times.
protocol UserExport {
    /// Calls `body` with each user, in the order of the export.
    ///
    /// - Throws: `CommandError` if the export is not in its format; what `body` throws.
    func forEach(_ body: (ExportedUser) throws -> Void) throws
}
