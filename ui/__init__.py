"""The web page of the people who work with the classifier.

It asks the services over HTTP and imports none of our packages.
Streamlit puts this folder first on the import path. So no module here has the name of a library.
"""
