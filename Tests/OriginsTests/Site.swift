import Foundation
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder in a folder, with neighbours that must never be seen.
final class Site: Sendable {
  let top: String
  var root: String { top + "/site" }

  init() throws {
    var template = Array("/tmp/hearth-files-XXXXXX".utf8CString)
    top = String(cString: mkdtemp(&template)!)
    chmod(top, 0o755)
    for folder in ["", "/sub", "/empty", "/.git", "/sub/deep"] { mkdir(root + folder, 0o755) }
    mkdir(top + "/site-secret", 0o755)
    write("secret", "../secret.txt")
    write("secret", "../site-secret/secret.txt")
    write("hidden", ".hidden")
    write("hidden", ".git/config")
    write("<h1>home</h1>", "index.html")
    write("<h1>sub</h1>", "sub/index.html")
    write("0123456789", "digits.txt")
    write("", "nothing.bin")
    write("ä", "sub/deep/ümlaut 1.txt")
    symlink("../secret.txt", root + "/out.txt")
    symlink("..", root + "/up")
    symlink("/etc", root + "/etc")
    symlink("../site-secret", root + "/sibling")
    symlink(".git", root + "/git")
    symlink("sub", root + "/current")
    symlink("loop", root + "/loop")
    mkfifo(root + "/pipe", 0o644)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: top)
  }

  func write(_ text: String, _ path: String) { write(text, bytes: Array(path.utf8)) }

  /// With the folders on the way, where they are missing.
  func write(_ text: String, bytes path: [UInt8]) {
    let whole = Array((root + "/").utf8) + path
    for (index, byte) in whole.enumerated() where byte == UInt8(ascii: "/") && index > root.utf8.count {
      mkdir(whole[..<index].map { CChar(truncatingIfNeeded: $0) } + [0], 0o755)
    }
    let file = fopen(whole.map { CChar(truncatingIfNeeded: $0) } + [0], "w")!
    fputs(text, file)
    fclose(file)
  }
}

/// A thread that may open what anybody may, though the tests run as root.
enum Unprivileged {
  private typealias SetUser = @convention(c) (UInt32) -> CInt

  static func with(_ body: (NIOThreadPool) async throws -> Void) async throws {
    let threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    if geteuid() == 0 {
      try await threads.runIfActive {
        // Counts for this thread only, and takes root's rights over files from it (setfsuid(2), capabilities(7)).
        _ = unsafeBitCast(dlsym(nil, "setfsuid"), to: SetUser.self)(65534)
      }
    }
    do {
      try await body(threads)
    } catch {
      try await threads.shutdownGracefully()
      throw error
    }
    try await threads.shutdownGracefully()
  }
}
