import java.nio.file.Files;
import java.nio.file.Path;

/** Runs cases, prints one line for each, and counts. */
final class Cases {
    interface Case {
        void run() throws Exception;
    }

    private int passed;
    private int failed;

    void run(String name, Case body) {
        try {
            body.run();
            passed++;
            System.out.println("ok   " + name);
        } catch (Throwable fault) {
            failed++;
            System.out.println("FAIL " + name + ": " + fault);
            fault.printStackTrace(System.out);
        }
    }

    /** Writes the counts for run.py; an empty run is a failure. */
    void finish(Path counts) throws Exception {
        Files.writeString(counts, passed + " " + (passed == 0 ? failed + 1 : failed) + "\n");
    }

    static void equal(Object expected, Object found, String what) {
        if (!expected.equals(found)) {
            throw new AssertionError(what + ": expected " + expected + ", found " + found);
        }
    }
}
