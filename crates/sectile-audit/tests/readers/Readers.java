import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/**
 * Extracts each file of a directory, as Java's libraries do, and prints the modules that came out.
 *
 * <p>A line of the output: the file, the reader, and the number of a module.
 */
public class Readers {
    private static final byte[] PREAMBLE = "\0asm\1\0\0\0\0\20\7version".getBytes(StandardCharsets.ISO_8859_1);
    private static final int LIMIT = 1 << 20;

    public static void main(String[] arguments) throws IOException {
        List<Path> files;
        try (Stream<Path> entries = Files.list(Path.of(arguments[0]))) {
            files = entries.sorted().collect(Collectors.toList());
        }
        StringBuilder out = new StringBuilder();
        for (Path file : files) {
            byte[] content = Files.readAllBytes(file);
            print(out, file, "java ZipFile", directory(file));
            print(out, file, "java ZipInputStream", sequence(content));
            print(out, file, "java GZIPInputStream", gzip(content));
        }
        System.out.print(out);
    }

    private static void print(StringBuilder out, Path file, String reader, TreeSet<Integer> found) {
        for (int number : found) {
            out.append(file.getFileName()).append('\t').append(reader).append('\t').append(number).append('\n');
        }
    }

    private static TreeSet<Integer> directory(Path file) {
        TreeSet<Integer> found = new TreeSet<>();
        try (ZipFile archive = new ZipFile(file.toFile())) {
            for (ZipEntry entry : Collections.list(archive.entries())) {
                try (InputStream stream = archive.getInputStream(entry)) {
                    add(found, content(stream));
                } catch (Exception | Error unreadable) {
                    // The entry is skipped.
                }
            }
        } catch (Exception | Error unreadable) {
            // The rest is skipped.
        }
        return found;
    }

    private static TreeSet<Integer> sequence(byte[] content) {
        TreeSet<Integer> found = new TreeSet<>();
        try (ZipInputStream archive = new ZipInputStream(new ByteArrayInputStream(content))) {
            while (archive.getNextEntry() != null) {
                add(found, content(archive));
            }
        } catch (Exception | Error unreadable) {
            // The rest is skipped.
        }
        return found;
    }

    private static TreeSet<Integer> gzip(byte[] content) {
        TreeSet<Integer> found = new TreeSet<>();
        try (InputStream stream = new GZIPInputStream(new ByteArrayInputStream(content))) {
            add(found, content(stream));
        } catch (Exception | Error unreadable) {
            // Nothing is extracted.
        }
        return found;
    }

    /** Returns what a copy would have written before an error. */
    private static byte[] content(InputStream stream) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        try {
            for (int read = 0; read >= 0 && content.size() < LIMIT; read = stream.read(buffer)) {
                content.write(buffer, 0, read);
            }
        } catch (IOException unreadable) {
            // The rest is missing.
        }
        return content.toByteArray();
    }

    private static void add(TreeSet<Integer> found, byte[] content) {
        int start = PREAMBLE.length;
        if (content.length < start + 8) {
            return;
        }
        for (int at = 0; at < start; at++) {
            if (content[at] != PREAMBLE[at]) {
                return;
            }
        }
        String text = new String(content, start, 8, StandardCharsets.ISO_8859_1);
        try {
            int length = Integer.parseInt(text.substring(3));
            String end = new String(content, length - 5, 5, StandardCharsets.ISO_8859_1);
            if (end.equals("END" + text.substring(0, 2))) {
                found.add(Integer.parseInt(text.substring(0, 2)));
            }
        } catch (NumberFormatException | IndexOutOfBoundsException other) {
            // Another file.
        }
    }
}
