"""Reports of a run: pictures, one HTML page, a VCD for logic analysers."""
