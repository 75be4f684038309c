"""The pages: one module each, with a function `page` that draws it.

The folder is not called `pages`: Streamlit would run the files of such a folder as scripts, without the sign-in.
"""
